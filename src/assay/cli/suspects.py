"""``assay suspects``: labels that look wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar

if TYPE_CHECKING:
    from assay.label import SuspectResult

SHOWN = 20


def suspects(
    data: Annotated[
        Path | None, typer.Argument(help="A labelled table; by default the project's search rows.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="The column of the labels.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every label here, the most doubtful first.")
    ] = None,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """List labels that look wrong, the most doubtful first; nothing is changed."""
    from assay.label import find_label_errors
    from assay.project import Project
    from assay.tables import read_table, write_table

    project = Project.open(path) if data is None else None
    rows = None if data is None else read_table(data)
    with progress_bar() as bar:
        bar.add_task("judging each label by the other rows", total=None)
        found = find_label_errors(rows, target, project=project)
    if out is not None:
        write_table(found.table, out)
    if as_json:
        emit_json(found.as_dict())
    else:
        _tell(found)


def _tell(found: SuspectResult) -> None:
    from rich.table import Table
    from rich.text import Text

    from assay.label.explanation import shorten_text
    from assay.label.shown import visible

    errors = found.errors
    out = console()
    out.print(
        f"About {errors.estimate:.0f} of {errors.n:,} labels look wrong "
        f"({errors.interval.low:.0f} to {errors.interval.high:.0f} over the draw of rows; "
        "rows that are hard to tell count too, so fewer may be wrong).",
        highlight=False,
    )
    table = Table(box=None, header_style="dim")
    for heading in ("row", "given", "suggested", "probability", "found by", "text"):
        table.add_column(heading)
    for line in found.flagged.head(SHOWN).iter_rows(named=True):
        table.add_row(
            *(Text(visible(line[name])) for name in ("row_id", "given", "suggested")),
            f"{line['probability']:.2f}",
            Text(visible(line["found_by"])),
            Text(visible(shorten_text(line["text"], 60))),
        )
    out.print(table)
    if found.flagged.height > SHOWN:
        out.print(f"and {found.flagged.height - SHOWN:,} more; --out FILE writes them all")
