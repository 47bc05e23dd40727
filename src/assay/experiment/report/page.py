"""A search as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from pathlib import Path

from assay.config import write_text
from assay.evidence import figures
from assay.experiment.report import plots
from assay.experiment.report.importance import importances
from assay.experiment.report.story import tell
from assay.experiment.result import ExperimentResult
from assay.pages import template

SHOWN = 20
"""So many of the best recipes are shown at once; the scale is theirs."""


def render_html(result: ExperimentResult) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    claims = [
        (name, fact)
        for name, fact in (
            ("in the search", result.claimed),
            ("on fresh folds", result.screened),
            ("in the vault", None if result.promised is None else result.promised.after),
        )
        if fact is not None
    ]
    best = [each.estimate for each in result.finished[:SHOWN] if each.estimate is not None]
    page: str = template("assay.experiment.report").render(
        result=result,
        story=tell(result),
        claims=claims,
        claims_scale=figures.Scale.over([fact for _, fact in claims]) if claims else None,
        board_scale=figures.Scale.over(best) if best else None,
        shown=SHOWN,
        importances=importances(result),
        plots=plots,
        figures=figures,
    )
    return page


def write_html(result: ExperimentResult, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_html(result))
