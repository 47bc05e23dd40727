"""A plan as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.config import write_text
from assay.experiment.plan.spec import ExperimentPlan


def render_page(plan: ExperimentPlan) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    sections = list(dict.fromkeys(each.section for each in plan.lines))
    page: str = _template().render(plan=plan, sections=sections)
    return page


def write_page(plan: ExperimentPlan, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_page(plan))


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("assay.experiment", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("plan/page.html.j2")
