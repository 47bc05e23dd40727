"""A plan as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from pathlib import Path

from assay.config import write_text
from assay.experiment.plan.spec import ExperimentPlan
from assay.pages import template


def render_page(plan: ExperimentPlan) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    sections = list(dict.fromkeys(each.section for each in plan.lines))
    page: str = template("assay.experiment", "plan/page.html.j2").render(
        plan=plan, sections=sections
    )
    return page


def write_page(plan: ExperimentPlan, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_page(plan))
