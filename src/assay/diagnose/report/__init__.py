"""A diagnosis told elsewhere than on a terminal: as a page, and as SARIF for CI."""

from __future__ import annotations

from assay.diagnose.report.page import render_html, write_html
from assay.diagnose.report.sarif import as_sarif

__all__ = ["as_sarif", "render_html", "write_html"]
