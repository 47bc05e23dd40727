"""Ordered classes: a vote for one level says something of its neighbours too."""

from __future__ import annotations

from assay.label.ordinal.kind import OrdinalLabel
from assay.label.ordinal.measure import measured

__all__ = ["OrdinalLabel", "measured"]
