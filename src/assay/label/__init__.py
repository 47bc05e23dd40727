"""Labelling: votes of a language model and of embeddings on rows without a label."""

from __future__ import annotations

from assay.label.propose import PoolLabelSource
from assay.label.votes import collect_votes

__all__ = ["PoolLabelSource", "collect_votes"]
