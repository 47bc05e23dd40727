"""What a worker is asked to do: build one recipe on one fold, and predict the fold's rows."""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe import Feature, Recipe, Split, Tools, fit_recipe, splits
from assay.recipe.features import FeatureUnion, Matrix
from assay.recipe.model import as_probabilities
from assay.recipe.trial import as_read, reads_probabilities
from assay.seeds import derive_seed
from assay.task import Task

CONTEXT = "context.pickle"
REMEMBERED = 12
"""So many folds are kept."""

REMEMBERED_BYTES = 300 * 2**20
"""Encoded folds are kept up to this size: what most candidates share is encoded once."""


@dataclass(frozen=True)
class Job:
    """One fit.

    Attributes
    ----------
    seed
        Draws the folds.
    repeat, fold
        Which split of that seed.
    share
        Share of the fold's training rows that is used, in (0, 1].
    """

    recipe: Recipe
    seed: int
    repeat: int = 0
    fold: int = 0
    share: float = 1.0

    @property
    def name(self) -> str:
        """What names its predictions' file."""
        return f"{self.recipe.hash}-{self.seed}-{self.repeat}-{self.fold}-{self.share:.4f}.npy"

    def line(self) -> str:
        """Return the job as one line of JSON."""
        return json.dumps({**asdict(self), "recipe": self.recipe.plain()})

    @classmethod
    def from_line(cls, line: str) -> Job:
        """Return the job that :meth:`line` wrote."""
        values = json.loads(line)
        return cls(**{**values, "recipe": Recipe.model_validate(values["recipe"])})


@dataclass(frozen=True)
class Context:
    """What every job of a search shares.

    Attributes
    ----------
    rows
        The labelled rows that folds are made of.
    tools
        A snapshot: every text embedded, every artefact read.
    """

    rows: pl.DataFrame
    task: Task
    tools: Tools
    folds: int
    repeats: int

    def write(self, folder: Path) -> None:
        """Keep the context where workers read it; only this user's processes do."""
        (folder / CONTEXT).write_bytes(pickle.dumps(self))

    @classmethod
    def read(cls, folder: Path) -> Context:
        """Return what :meth:`write` kept."""
        found: Context = pickle.loads((folder / CONTEXT).read_bytes())  # noqa: S301 - our own file
        return found


class Bench:
    """Does jobs one after the other, and remembers what the next may share."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._splits: dict[int, list[Split]] = {}
        self._frames: OrderedDict[Any, tuple[pl.DataFrame, pl.DataFrame]] = OrderedDict()
        self._encoded: OrderedDict[Any, tuple[_Remembering, Matrix]] = OrderedDict()

    def predictions(self, job: Job) -> np.ndarray:
        """Return predictions for the fold's rows: (m, k) probabilities, or (m,) values.

        Raises
        ------
        InputError
            When the recipe cannot be built, or predicts what is not finite.
        """
        task, place = self._context.task, (job.seed, job.repeat, job.fold, job.share)
        train, test = self._frame(job, place)

        def encode(
            features: tuple[Feature, ...], rows: pl.DataFrame, tools: Tools
        ) -> tuple[FeatureUnion, Matrix]:
            key = (place, features, job.recipe.rows.model_dump_json())
            if key not in self._encoded:
                union = _Remembering(features, tools)
                self._encoded[key] = (union, union.fit_transform(rows))
                self._forget()
            return self._encoded[key]

        model = fit_recipe(
            as_read(job.recipe, task),
            train,
            task,
            tools=self._context.tools,
            seed=derive_seed(job.seed, "fit", job.repeat, job.fold),
            judged=test,
            encode=encode,
        )
        found = model.predictions(test, probabilities=reads_probabilities(task))
        if task.kind != "regression":
            found = as_probabilities(found, task)
        if not np.isfinite(found).all():
            raise InputError("it predicted values that are not finite")
        return found

    def _frame(self, job: Job, place: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
        context = self._context
        if job.seed not in self._splits:
            self._splits[job.seed] = splits(
                context.rows,
                context.task,
                seed=job.seed,
                folds=context.folds,
                repeats=context.repeats,
            )
        if place not in self._frames:
            split = next(
                each
                for each in self._splits[job.seed]
                if (each.repeat, each.fold) == (job.repeat, job.fold)
            )
            train = split.train
            if job.share < 1:
                random = np.random.default_rng(derive_seed(job.seed, "share", job.fold))
                train = np.sort(random.choice(train, int(job.share * len(train)), replace=False))
            self._frames[place] = (context.rows[train], context.rows[split.test])
            while len(self._frames) > REMEMBERED:
                self._frames.popitem(last=False)
        return self._frames[place]

    def _forget(self) -> None:
        """Forget the oldest encoded folds, but for the newest, until the rest is small enough."""
        sizes = [_bytes(matrix) for _, matrix in self._encoded.values()]
        while len(sizes) > 1 and sum(sizes) > REMEMBERED_BYTES:
            self._encoded.popitem(last=False)
            sizes.pop(0)


class _Remembering(FeatureUnion):
    """Encodes the rows that it is asked for again and again once."""

    def __init__(self, features: tuple[Feature, ...], tools: Tools) -> None:
        super().__init__(features, tools)
        self._last: tuple[pl.DataFrame, Matrix] | None = None

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        if self._last is None or self._last[0] is not rows:
            self._last = (rows, super().transform(rows))
        return self._last[1]


def _bytes(matrix: Matrix) -> int:
    """Return the size of a dense or sparse matrix, or of a table."""
    held = getattr(matrix, "data", None)
    if hasattr(matrix, "nbytes"):
        return int(matrix.nbytes)
    return int(held.nbytes) if held is not None and hasattr(held, "nbytes") else 2**20
