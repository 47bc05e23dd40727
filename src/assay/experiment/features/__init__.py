"""New features: rules and language models write small functions, and the gate keeps what helps."""

from __future__ import annotations

from assay.experiment.features.module import features_module
from assay.experiment.features.rules import DerivedFeatureSource
from assay.experiment.features.writing import WrittenFeatureSource

__all__ = ["DerivedFeatureSource", "WrittenFeatureSource", "features_module"]
