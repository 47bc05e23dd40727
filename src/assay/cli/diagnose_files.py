"""The files that ``assay diagnose`` writes: page, Markdown, SARIF."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.diagnose.spec import Diagnosis


@dataclass(frozen=True)
class Files:
    """Where each is wanted; None where it is not."""

    html: Path | None = None
    sarif: Path | None = None
    markdown: Path | None = None


def write_files(
    found: Diagnosis, subject: Any, file: Path | None, wanted: Files, *, redact: bool
) -> tuple[Path | None, Diagnosis]:
    """Write the files that are wanted; return the page's path and what may be shared.

    Parameters
    ----------
    subject
        The project, or the rows.
    file
        The rows' file; None for a project, whose page is always written.
    redact
        Whether identifiers are hidden in everything that is written.
    """
    from assay import __version__
    from assay.config import write_text
    from assay.diagnose.report import as_sarif, hidden, render_markdown, write_html
    from assay.tables import to_polars, with_row_ids

    page, rows = wanted.html, None
    if file is None:
        page = page or subject.path / "diagnosis.html"
        rows = subject.search()
    elif page is not None:
        rows = with_row_ids(to_polars(subject))
    name = subject.path.name if file is None else file.name
    if redact:
        privacy = None if file is not None else subject.settings.privacy
        found, rows = hidden(found, rows, {} if privacy is None else privacy.patterns)
    if wanted.sarif is not None:
        told = as_sarif(found, subject=str(file or "recipe.toml"), version=__version__)
        write_text(wanted.sarif, json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    if wanted.markdown is not None:
        write_text(wanted.markdown, render_markdown(found, name=name))
    if page is not None:
        write_html(found, page, name=name, rows=rows)
    return page, found
