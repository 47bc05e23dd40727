"""Review: a person checks the rows that teach most, and what they find counts."""

from __future__ import annotations

from assay.label.review.order import worth_checking

__all__ = ["worth_checking"]
