"""What a model learns from made rows: trained on them, judged on real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from assay.evidence import Evidence, compare, estimate
from assay.recipe import Recipe, Tools, fit_recipe
from assay.recipe.trial import reads_probabilities
from assay.seeds import derive_seed
from assay.task import Task


@dataclass(frozen=True)
class Utility:
    """The task's metric on real rows that neither model nor generator saw.

    Attributes
    ----------
    real, synthetic, both
        Trained on real rows; with the real rows of the made classes replaced by made ones; on
        all of them.
    gain
        Of both over real alone.
    """

    real: Evidence
    synthetic: Evidence
    both: Evidence
    gain: Evidence

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {name: getattr(self, name).as_dict() for name in self.__dataclass_fields__}


def measure_utility(
    made: pl.DataFrame,
    real: pl.DataFrame,
    judged: pl.DataFrame,
    recipe: Recipe,
    task: Task,
    *,
    tools: Tools,
    seed: int = 0,
) -> Utility:
    """Train on real rows, on made rows, and on both; judge all three on ``judged``.

    Parameters
    ----------
    judged
        Real labelled rows that the generator never saw: made rows would tell about others.
    """
    columns = [*task.inputs, task.target]
    new = made.select(columns).with_columns(
        pl.format("made-{}", pl.int_range(pl.len())).alias("row_id")
    )
    rows = real.select("row_id", *columns)
    new = new.select(rows.columns).cast(dict(rows.schema))  # type: ignore[arg-type]
    others = rows.head(0)
    if task.kind != "regression":
        others = rows.filter(~pl.col(task.target).is_in(new[task.target].unique().to_list()))
    tables = {"real": rows, "synthetic": pl.concat([others, new]), "both": pl.concat([rows, new])}
    shares = reads_probabilities(task)
    predicted = {
        name: fit_recipe(recipe, table, task, tools=tools, seed=derive_seed(seed, "fit"))
        .predictions(judged, probabilities=shares)
        for name, table in tables.items()
    }  # fmt: skip
    truth = judged[task.target].to_numpy()
    shared: dict[str, Any] = {"metric": task.metric, "classes": task.class_names or None,
                              "seed": seed}  # fmt: skip
    figures = {name: estimate(truth, each, **shared) for name, each in predicted.items()}
    return Utility(**figures, gain=compare(truth, predicted["real"], predicted["both"], **shared))
