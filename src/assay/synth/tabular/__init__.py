"""Generators of table rows that ask no language model."""

from __future__ import annotations

from assay.synth.tabular.making import METHODS, TabularMethod, made_rows

__all__ = ["METHODS", "TabularMethod", "made_rows"]
