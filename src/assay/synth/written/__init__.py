"""Rows that a language model writes."""

from __future__ import annotations

from assay.synth.written.plan import AttributePlan, Cell, attribute_plan
from assay.synth.written.writing import (
    METHODS,
    Written,
    WrittenMethod,
    shown_rows,
    write_rows,
)

__all__ = [
    "METHODS",
    "AttributePlan",
    "Cell",
    "Written",
    "WrittenMethod",
    "attribute_plan",
    "shown_rows",
    "write_rows",
]
