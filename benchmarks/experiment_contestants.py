"""Who takes part in the benchmark of the search, and what each does on one split."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay import Project
from assay.evidence import metric
from assay.experiment import experiment
from assay.experiment.result import ExperimentResult
from assay.recipe import Estimator, Recipe, Tabular, Tfidf, Tools, baseline_recipe, fit_recipe
from assay.recipe.trial import LABEL_METRICS
from assay.task import Task
from experiment_sets import DataSet

TEST_SHARE = 0.25


@dataclass(frozen=True)
class Outcome:
    """What one contestant did on one split; ``score`` and ``claimed`` in the metric's unit."""

    score: float
    claimed: float | None
    seconds: float
    what: str
    first_seconds: float | None = None


@dataclass(frozen=True)
class Split:
    """One set's rows in the order of a seed: three quarters to learn from, the rest to test."""

    which: DataSet
    seed: int
    train: pl.DataFrame
    test: pl.DataFrame

    @classmethod
    def of(cls, which: DataSet, seed: int) -> Split:
        """Return the split of a seed."""
        rows = which.rows(seed)
        cut = int(rows.height * (1 - TEST_SHARE))
        return cls(which, seed, rows[:cut], rows[cut:])


Contestant = Callable[[Split, float], dict[str, Outcome]]
"""Takes a split and seconds; one search may tell several outcomes, each by its name."""

OTHERS = ("flaml", "autogluon")
"""Packages that run in an environment of their own, each by its script beside this file."""


def contestants(interpreters: Mapping[str, str], *, random: bool) -> dict[str, Contestant]:
    """Return who takes part; the key is the name of an outcome that each of them has."""
    found: dict[str, Contestant] = {"default": _default, "assay": _searched}
    if random:
        found["random"] = _at_random
    for name, python in interpreters.items():
        found[name] = _other(name, python)
    return found


def _default(split: Split, seconds: float) -> dict[str, Outcome]:
    which, train, test = split.which, split.train, split.test
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(folder, train, target=which.target, metric=which.metric)
        task = project.task
    began = time.perf_counter()
    kind = "Regressor" if task.kind == "regression" else "Classifier"
    feature = (
        Tfidf(column=task.text, max_terms=400)
        if task.text
        else Tabular(columns=task.features, scale=False, categories="ordinal", missing="kept")
    )
    path = f"sklearn.ensemble.HistGradientBoosting{kind}"
    recipe = Recipe(features=(feature,), estimator=Estimator(path=path))
    score = _built(recipe, train, test, task, _no_tools())
    took = time.perf_counter() - began
    return {"default": Outcome(score, None, took, "HistGradientBoosting")}


def _at_random(split: Split, seconds: float) -> dict[str, Outcome]:
    return {"random": _searched(split, seconds, "random")["assay"]}


def _searched(split: Split, seconds: float, sampler: str = "tpe") -> dict[str, Outcome]:
    which, train, test, seed = split.which, split.train, split.test, split.seed
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(folder, train, target=which.target, metric=which.metric, seed=seed)
        began = time.perf_counter()
        result = experiment(project, minutes=seconds / 60, sampler=sampler)
        took = time.perf_counter() - began
        chosen = result.chosen.recipe if result.chosen else baseline_recipe(project.task)
        what = result.chosen.name if result.chosen else "baseline"
        with project.gateway() as gateway:
            tools = Tools.of(project.ledger(), gateway)
            every = pl.concat([project.search(), project.vault().retire("the look is over")])
            score = _built(chosen, every, test, project.task, tools)
            highest = result.best.recipe if result.best else chosen
            best = score
            if highest != chosen:
                best = _built(highest, every, test, project.task, tools)
            saved = _built(result.recipe, project.search(), test, project.task, tools)
        claimed = result.claimed.estimate if result.claimed else None
        project.ledger().close()
    return {
        "assay": Outcome(score, claimed, took, what, result.first_seconds),
        "best": Outcome(best, None, took, result.best.name if result.best else "baseline"),
        "saved": Outcome(saved, _promised(result), took, what),
    }


def _promised(result: ExperimentResult) -> float | None:
    after = result.promised.after if result.promised else None
    return after.estimate if after is not None and result.improved else None


def _built(
    recipe: Recipe, train: pl.DataFrame, test: pl.DataFrame, task: Task, tools: Tools
) -> float:
    if "row_id" not in train.columns:
        train = train.with_row_index("row_id").with_columns(pl.col("row_id").cast(pl.String))
    train = train.with_columns(_target(task))
    model = fit_recipe(recipe, train, task, tools=tools, seed=0)
    predicted = model.predictions(test, probabilities=task.metric not in LABEL_METRICS)
    return _score(task, test.with_columns(_target(task)), predicted)


def _target(task: Task) -> pl.Expr:
    return pl.col(task.target).cast(pl.Float64 if task.kind == "regression" else pl.String)


def _score(task: Task, test: pl.DataFrame, predictions: np.ndarray) -> float:
    truth = test[task.target].to_numpy()
    return metric(task.metric).score(truth, predictions, task.class_names or None)


def _no_tools() -> Tools:
    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError

    return Tools(refuse, refuse)


def _other(name: str, python: str) -> Contestant:
    script = Path(__file__).with_name(f"experiment_{name}.py")

    def run(split: Split, seconds: float) -> dict[str, Outcome]:
        target, kind = split.which.target, split.which.metric
        with tempfile.TemporaryDirectory() as folder:
            split.train.write_parquet(Path(folder) / "train.parquet")
            split.test.write_parquet(Path(folder) / "test.parquet")
            began = time.perf_counter()
            words = [folder, target, kind, f"{seconds:g}", str(split.seed)]
            subprocess.run([python, str(script), *words], check=True, stdout=subprocess.DEVNULL)
            took = time.perf_counter() - began
            told = json.loads((Path(folder) / "answer.json").read_text())
        truth, values = split.test[target].to_numpy(), np.array(told["values"])
        score = metric(kind).score(truth, values, told.get("classes"))
        return {name: Outcome(score, told["claimed"], took, told["what"])}

    return run
