"""Experiments: features, weights, regularisation and estimators, proposed by rules."""

from __future__ import annotations

from assay.experiment.propose import (
    ClassWeightSource,
    EstimatorSource,
    FeatureSource,
    RegularisationSource,
)

__all__ = ["ClassWeightSource", "EstimatorSource", "FeatureSource", "RegularisationSource"]
