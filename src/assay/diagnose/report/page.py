"""A diagnosis as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from assay.config import write_text
from assay.diagnose.report import plots
from assay.diagnose.spec import Diagnosis, Finding
from assay.evidence.figures import Scale, effect_text
from assay.experiment.report.plots import strip
from assay.pages import template

SHOWN = 5
"""Rows of a finding, those with the highest loss."""

LONGEST = 400


def render_html(diagnosis: Diagnosis, *, name: str, rows: pl.DataFrame | None = None) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup.

    Parameters
    ----------
    name
        What was diagnosed.
    rows
        Rows with ``row_id``, of which each finding's worst are shown; none by default.
    """
    judged = [each for each in diagnosis.findings if each.cost > 0]
    page: str = template("assay.diagnose.report").render(
        diagnosis=diagnosis,
        name=name,
        judged=judged,
        scale=Scale.over([each.effect for each in judged], 0.0) if judged else None,
        strip=strip,
        plots=plots,
        effect=effect_text,
        worst=lambda finding: _worst(finding, rows),
    )
    return page


def write_html(
    diagnosis: Diagnosis, path: Path, *, name: str, rows: pl.DataFrame | None = None
) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_html(diagnosis, name=name, rows=rows))


def _worst(finding: Finding, rows: pl.DataFrame | None) -> list[dict[str, Any]]:
    if rows is None or not finding.row_ids:
        return []
    wanted = list(finding.row_ids[:SHOWN])
    found = rows.filter(pl.col("row_id").is_in(wanted)).to_dicts()
    found.sort(key=lambda row: wanted.index(row["row_id"]))
    return [{key: _short(value) for key, value in row.items()} for row in found]


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
