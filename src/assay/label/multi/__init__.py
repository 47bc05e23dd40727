"""Any number of classes for each row: a yes/no question for each class, put together on gold."""

from __future__ import annotations

from assay.label.multi.kind import MultiLabel
from assay.label.multi.thresholds import ClassThresholds, accept_by_class

__all__ = ["ClassThresholds", "MultiLabel", "accept_by_class"]
