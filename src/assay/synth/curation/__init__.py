"""Filters of made rows; each says why it drops what it drops."""

from __future__ import annotations

from assay.synth.curation.copies import NoCopies, repeats_locked
from assay.synth.curation.curated import curated_rows
from assay.synth.curation.harmful import Harmless
from assay.synth.curation.labels import Annotator, ConsistentLabels
from assay.synth.curation.learnable import Learnable, learning
from assay.synth.curation.realism import told_apart
from assay.synth.curation.sifting import sift_all
from assay.synth.curation.wellformed import WellFormed

__all__ = [
    "Annotator",
    "ConsistentLabels",
    "Harmless",
    "Learnable",
    "NoCopies",
    "WellFormed",
    "curated_rows",
    "learning",
    "repeats_locked",
    "sift_all",
    "told_apart",
]
