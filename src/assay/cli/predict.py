"""``assay predict``: the project's recipe on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.options import DryRun
from assay.cli.output import AsJson, ProjectPath, console, emit_json


def predict(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, Parquet or Arrow; .gz too.")],
    out: Annotated[Path, typer.Option(help="Where the predictions go; the ending tells how.")],
    path: ProjectPath = Path(),
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Predict rows with the project's recipe, built on all labelled search rows."""
    from assay.cli.forecast import show_forecast
    from assay.cli.watch import watching
    from assay.improve.events import Progress
    from assay.improve.predict import predict_table
    from assay.improve.rehearse import rehearse_prediction
    from assay.project import Project
    from assay.tables import read_table, write_table

    project, rows = Project.open(path), read_table(data)
    if dry_run:
        show_forecast(rehearse_prediction(project, rows), as_json=as_json)
        return
    with watching("building and predicting") as watch:
        predicted = predict_table(
            project,
            rows,
            progress=lambda seen: watch(Progress(seen.what, seen.done, seen.total, seen)),
            on_event=watch,
        )
    write_table(predicted, out)
    if as_json:
        emit_json({"rows": predicted.height, "out": str(out)})
    else:
        line = f"{predicted.height:,} predictions in {out}"
        console().print(line, highlight=False, markup=False, soft_wrap=True)
