"""Using what was built: the project's recipe on new rows."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from assay.improve.account import accounted, asks_elsewhere
from assay.improve.events import Listener, ignore
from assay.improve.rehearse import rehearse_prediction
from assay.llm import Progress
from assay.project import Project
from assay.project.building import built
from assay.recipe import Tools


def predict_table(
    project: Project,
    rows: pl.DataFrame,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_event: Listener = ignore,
) -> pl.DataFrame:
    """Return ``rows`` with ``prediction`` and, of a classification, ``probability:CLASS``.

    The recipe is built on all ``search`` rows, as it was for the vault; a target column in
    ``rows`` is not read. ``progress`` is told how far questions to models have come, and
    ``on_event`` what models elsewhere will be asked, and how far that was off.
    """
    ledger, task = project.ledger(), project.task
    forecast = rehearse_prediction(project, rows) if asks_elsewhere(project) else None
    with (
        accounted(ledger, forecast, on_event),
        project.gateway(progress=progress, capability="predict") as gateway,
    ):
        tools = Tools.of(ledger, gateway)
        model = built(project, project.recipe, tools=tools)
        predicted = rows.with_columns(pl.Series("prediction", model.predict(rows).tolist()))
        if task.kind == "regression" or not model.gives_probabilities:
            return predicted
        probabilities = model.predict_proba(rows)
    return predicted.with_columns(
        pl.Series(f"probability:{name}", probabilities[:, code])
        for code, name in enumerate(task.class_names)
    )
