"""A diagnosis to be shared: identifiers hidden in all that was read off rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from assay.diagnose.spec import Diagnosis
from assay.errors import MissingExtraError
from assay.llm.privacy.redaction import Redactor

KEPT = frozenset({"id", "row_ids", "column", "operator", "trait", "code"})
"""Fields that name things and tell nothing of a row."""
HELD_BY = ("predicate", "rule", "title", "about")
"""What a frozen finding is told by."""


def hidden(
    diagnosis: Diagnosis, rows: pl.DataFrame | None, patterns: Mapping[str, str]
) -> tuple[Diagnosis, pl.DataFrame | None]:
    """Return the diagnosis and its shown rows with placeholders in place of identifiers.

    Names of people and places are looked for where the extra ``privacy`` is installed. One value
    has one placeholder throughout, so that a reader sees what is the same.

    Parameters
    ----------
    rows
        With ``row_id``; of these the ones that a page would show are read.
    patterns
        The user's own identifiers, kind to regular expression.
    """
    hide = _redactor(patterns).begin().hide
    told = json.loads(diagnosis.to_json())
    shown = None if rows is None else _shown(diagnosis, rows, hide)
    return Diagnosis.from_json(json.dumps(_walked(told, hide))), shown


def freezable(diagnosis: Diagnosis, shared: Diagnosis) -> Diagnosis:
    """Return the findings as they may be shared, less those that identifiers pick or name.

    A condition with a placeholder would pick other rows, so such a finding cannot be held as a
    test without naming whom it is about.
    """
    findings = tuple(
        told
        for found, told in zip(diagnosis.findings, shared.findings, strict=True)
        if all(getattr(found, name) == getattr(told, name) for name in HELD_BY)
    )
    return replace(shared, findings=findings)


def _redactor(patterns: Mapping[str, str]) -> Redactor:
    redactor = Redactor(patterns)
    try:
        redactor.find([""])
    except MissingExtraError:
        return Redactor(patterns, names=False)
    return redactor


def _shown(diagnosis: Diagnosis, rows: pl.DataFrame, hide: Callable[[str], str]) -> pl.DataFrame:
    from assay.diagnose.report.page import SHOWN

    wanted = {name for each in diagnosis.findings for name in each.row_ids[:SHOWN]}
    some = rows.filter(pl.col("row_id").is_in(list(wanted)))
    return some.with_columns(
        pl.Series(name, [_hidden(cell, hide) for cell in some[name]], pl.String)
        for name in some.columns
        if name != "row_id"
    )


def _hidden(cell: Any, hide: Callable[[str], str]) -> str | None:
    """Return a cell as it is read, a whole number without its point; numbers name people too."""
    whole = isinstance(cell, float) and cell.is_integer()
    return None if cell is None else hide(f"{cell:.0f}" if whole else str(cell))


def _walked(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_walked(each, hide) for each in value]
    if isinstance(value, dict):
        return {name: each if name in KEPT else _walked(each, hide) for name, each in value.items()}
    return value
