"""``assay predict``: the project's recipe on new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json


def predict(
    data: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, Parquet or Arrow; .gz too.")],
    out: Annotated[Path, typer.Option(help="Where the predictions go; the ending tells how.")],
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Predict rows with the project's recipe, built on all labelled search rows."""
    from assay.improve.predict import predict_table
    from assay.project import Project
    from assay.tables import read_table, write_table

    with console(err=True).status("building and predicting"):
        predicted = predict_table(Project.open(path), read_table(data))
    write_table(predicted, out)
    if as_json:
        emit_json({"rows": predicted.height, "out": str(out)})
    else:
        console().print(f"{predicted.height:,} predictions in {out}", highlight=False)
