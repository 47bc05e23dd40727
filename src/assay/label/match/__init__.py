"""Pairs, and whether their two sides speak of the same thing."""

from __future__ import annotations

from assay.label.match.kind import PairMatch

__all__ = ["PairMatch"]
