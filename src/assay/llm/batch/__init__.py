"""Batches: many requests handed to a provider at once, answered within a day at half price."""

from __future__ import annotations

from assay.llm.batch.asking import BatchAsking
from assay.llm.batch.offered import batch_price, in_batches, require_batches

__all__ = ["BatchAsking", "batch_price", "in_batches", "require_batches"]
