"""A search told: on a terminal and as a self-contained HTML page."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.experiment.report.page import render_html, write_html
    from assay.experiment.report.terminal import render_terminal

__all__ = ["render_html", "render_terminal", "write_html"]

_HOMES = {"render_html": "page", "render_terminal": "terminal", "write_html": "page"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
