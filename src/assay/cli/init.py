"""``assay init``: make a project from a table, and tell what was found and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assay.project import Project


def init(
    data: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSONL, Parquet or Arrow; .gz too.", show_default=False)
    ],
    target: Annotated[
        str, typer.Option(help="The column to predict; rows where it is empty are the pool.")
    ],
    path: ProjectPath = Path(),
    text: Annotated[str | None, typer.Option(help="The column that is read.")] = None,
    kind: Annotated[str | None, typer.Option(help="binary, multiclass or regression.")] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy, balanced_accuracy, macro_f1, log_loss, auc, average_precision, "
            "cost_1_20, mae or rmse."
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Rows that share this column's value stay together.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Order by this column: later rows judge earlier ones.")
    ] = None,
    seed: Annotated[int, typer.Option(help="All randomness derives from it.")] = 0,
    looks: Annotated[int, typer.Option(help="How often the vault may be looked at.")] = 1,
    encoding: Annotated[str, typer.Option(help="Of a text file.")] = "utf-8",
    as_json: AsJson = False,
) -> None:
    """Make a project from a table and lock its vault."""
    from assay.project import Project
    from assay.tables import read_table

    known: dict[str, Any] = {"text": text, "kind": kind, "metric": metric}
    with console(err=True).status("reading the rows and locking the vault"):
        project = Project.create(
            path,
            read_table(data, encoding=encoding),
            target=target,
            group=group,
            time=time,
            seed=seed,
            looks=looks,
            **known,
        )
    if as_json:
        emit_json(as_dict(project))
    else:
        console().print(told(project))


def as_dict(project: Project) -> dict[str, Any]:
    """Return what was made and why, as plain JSON values."""
    plan = project.plan()
    return {
        "path": str(project.path),
        "task": project.task.model_dump(mode="json"),
        "rows": {
            "search": project.search().height,
            "pool": project.pool().height,
            "vault": project.vault().n,
        },
        "plan": {"screening": plan.screening, "vault": plan.vault, "spread": plan.spread},
        "notes": [{"what": each.what, "why": each.why} for each in project.notes],
    }


def told(project: Project) -> RenderableType:
    """Return what was made and why, for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    notes = Table.grid(padding=(0, 2))
    notes.add_column(style="bold")
    notes.add_column(style="dim")
    for each in project.notes:
        notes.add_row(Text(each.what), Text(each.why))
    made = Text(f"Made a project in {project.path}", style="bold green")
    following = Text("Next: describe the classes in assay.toml, then run assay improve.")
    return Group(made, Text(), notes, Text(), Text(str(project.plan())), Text(), following)
