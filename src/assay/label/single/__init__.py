"""One class for each row: annotators vote, gold says how much each vote counts."""

from __future__ import annotations

from assay.label.single.kind import SingleLabel

__all__ = ["SingleLabel"]
