"""Texts made without a language model."""

from __future__ import annotations

from assay.synth.text.curated import curated_texts
from assay.synth.text.editing import METHODS, TextMethod, made_texts

__all__ = ["METHODS", "TextMethod", "curated_texts", "made_texts"]
