"""One kind of fault each; found by the entry points ``assay.detectors``."""
