"""A diagnosis told elsewhere than on a terminal: page, Markdown, and SARIF for CI."""

from __future__ import annotations

from assay.diagnose.report.markdown import render_markdown
from assay.diagnose.report.page import render_html, write_html
from assay.diagnose.report.sarif import as_sarif
from assay.diagnose.report.sharing import freezable, hidden

__all__ = ["as_sarif", "freezable", "hidden", "render_html", "render_markdown", "write_html"]
