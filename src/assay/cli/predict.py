"""``assay predict``: the project's recipe on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar


def predict(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, Parquet or Arrow; .gz too.")],
    out: Annotated[Path, typer.Option(help="Where the predictions go; the ending tells how.")],
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Predict rows with the project's recipe, built on all labelled search rows."""
    from assay.cli.watch import figures_of
    from assay.improve.predict import predict_table
    from assay.project import Project
    from assay.tables import read_table, write_table

    project, rows = Project.open(path), read_table(data)
    with progress_bar() as bar:
        task = bar.add_task("building and predicting", total=None)
        predicted = predict_table(
            project,
            rows,
            progress=lambda seen: bar.update(
                task,
                description=" · ".join([seen.what, *figures_of(seen)]),
                completed=seen.done,
                total=seen.total,
            ),
        )
    write_table(predicted, out)
    if as_json:
        emit_json({"rows": predicted.height, "out": str(out)})
    else:
        line = f"{predicted.height:,} predictions in {out}"
        console().print(line, highlight=False, markup=False, soft_wrap=True)
