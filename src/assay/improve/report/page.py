"""The report as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.config import write_text
from assay.improve.report import plots
from assay.improve.report.story import gain_text, metric_name, span, tell
from assay.improve.spec import Confusion, ImproveResult

MOST_CLASSES = 60
"""A confusion table of more classes than this cannot be read."""


def render_html(result: ImproveResult) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    page: str = _template().render(
        result=result,
        story=tell(result),
        metric=metric_name(result),
        confusions=_confusions(result),
        plots=plots,
        span=span,
        gain_text=gain_text,
        heat=heat,
    )
    return page


def write_html(result: ImproveResult, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_html(result))


def heat(count: int, row: tuple[int, ...]) -> int:
    """Return how strongly a cell is shaded, 0 to 100: its share of the true class."""
    total = sum(row)
    return round(100 * count / total) if total else 0


def _confusions(result: ImproveResult) -> list[tuple[str, Confusion]]:
    pairs = (("before", result.confusion_before), ("after", result.confusion_after))
    return [
        (name, found)
        for name, found in pairs
        if found is not None and len(found.classes) <= MOST_CLASSES
    ]


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("assay.improve.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
