"""A synthesis told: on a terminal and as a page, from one story."""

from __future__ import annotations

from assay.synth.report.page import render_html, write_html
from assay.synth.report.story import headline, tell
from assay.synth.report.terminal import render_terminal

__all__ = ["headline", "render_html", "render_terminal", "tell", "write_html"]
