"""The report as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from pathlib import Path

from assay.config import write_text
from assay.evidence import Evidence, Verdict, figures, metric
from assay.evidence.figures import Scale
from assay.improve.report import plots
from assay.improve.report.confusions import Confusions, heat
from assay.improve.report.story import counted, metric_name, tell
from assay.improve.spec import ImproveResult
from assay.pages import template

MOST_GUARDS = 12


def render_html(result: ImproveResult) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    gains = [each.verdict.main for each in result.attempts]
    least = max((each.details.get("min_effect", 0.0) for each in gains), default=0.0)
    page: str = template("assay.improve.report").render(
        result=result,
        story=tell(result),
        metric=metric_name(result),
        less_is_better=not metric(result.task.metric).greater_is_better,
        forest=Scale.over(gains, 0.0, least),
        least=least,
        confusions=Confusions.of(result),
        guards=worst_guards,
        heat=heat,
        counted=counted,
        plots=plots,
        figures=figures,
        Scale=Scale,
    )
    return page


def write_html(result: ImproveResult, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_html(result))


def worst_guards(verdict: Verdict) -> tuple[Evidence, ...]:
    """Return the guards that came nearest to a loss; all of them where they are few."""
    guards = sorted(verdict.evidence[1:], key=lambda each: each.interval.low)
    return tuple(guards[:MOST_GUARDS])
