"""A synthesis as one self-contained HTML page: no script, no network."""

from __future__ import annotations

from pathlib import Path

from assay.config import write_text
from assay.evidence import figures
from assay.pages import template
from assay.synth.report.story import headline, made, measures, tell
from assay.synth.report.terminal import shown
from assay.synth.result import SynthesisResult


def render_html(result: SynthesisResult) -> str:
    """Return the page. Every name and text in it is escaped: data is never markup."""
    page: str = template("assay.synth.report").render(
        result=result,
        headline=headline(result),
        paragraphs=tell(result),
        made=made,
        measures=measures(result),
        shown=lambda row: shown(row, 600).plain,
        figures=figures,
    )
    return page


def write_html(result: SynthesisResult, path: Path) -> None:
    """Write the page to ``path``, whole or not at all."""
    write_text(path, render_html(result))
