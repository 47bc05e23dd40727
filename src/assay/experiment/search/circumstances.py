"""What decides which families are worth trying: the task, the rows, and what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import polars as pl

from assay.recipe import Recipe
from assay.recipe.trial import LABEL_METRICS
from assay.tables import column_kind
from assay.tables.counts import value_counts
from assay.task import Task

IMBALANCED = 0.2
"""Below this share of rows a class is rare."""


@dataclass(frozen=True)
class Circumstances:
    """The task and its rows, as far as the choice of families depends on them.

    Attributes
    ----------
    columns
        The feature columns of a tabular task.
    rows
        How many rows train.
    rarest
        Share of the rarest class; 1 for a regression.
    embed_model
        Sentence embeddings that are at hand; None where there are none.
    texts
        Those of ``columns`` that hold texts.
    baseline
        The recipe whose edits of rows and computed features go along; None for none.
    """

    task: Task
    columns: tuple[str, ...]
    rows: int
    rarest: float
    embed_model: str | None = None
    texts: tuple[str, ...] = ()
    baseline: Recipe | None = None

    @classmethod
    def of(
        cls,
        task: Task,
        rows: pl.DataFrame,
        *,
        without: tuple[str, ...] = (),
        embed_model: str | None = None,
        baseline: Recipe | None = None,
    ) -> Circumstances:
        """Return the circumstances of ``rows``; columns ``without`` take no part."""
        columns = tuple(name for name in task.features if name not in without)
        rarest = 1.0
        if task.kind != "regression":
            counts = value_counts(rows[task.target])["count"]
            rarest = int(counts.min()) / rows.height  # type: ignore[arg-type]
        texts = tuple(name for name in columns if column_kind(rows[name]) == "text")
        return cls(task, columns, rows.height, rarest, embed_model, texts, baseline)

    @property
    def regression(self) -> bool:
        """Whether numbers are predicted."""
        return self.task.kind == "regression"

    @property
    def labels_suffice(self) -> bool:
        """Whether an estimator without probabilities can be judged."""
        return self.regression or self.task.metric in LABEL_METRICS

    @property
    def weighs_classes(self) -> bool:
        """Whether rare classes may deserve more than their share."""
        return not self.regression and (self.counts_every_class or self.rarest < IMBALANCED)

    @property
    def counts_every_class(self) -> bool:
        """Whether the metric counts every class the same, however rare."""
        return self.task.metric in ("balanced_accuracy", "macro_f1")


@cache
def installed(module: str) -> bool:
    """Whether a module could be imported."""
    return find_spec(module) is not None
