"""The search against peers: same splits, same seconds, on real tables and texts.

Contestants: ``default`` (scikit-learn's HistGradientBoosting as it is), ``random`` (random search
over our own space), ``assay`` (the recipe chosen, built on all training rows once the vault's look
is over), ``best`` (the recipe that scored best, which the one-standard-error rule may have passed
over), ``saved`` (the project's recipe as the search left it, built on the search rows), and
``flaml`` where ``--flaml PYTHON`` names an interpreter that has it. Optimism is what a contestant
claimed less what the test rows show; of ``saved`` the claim is the vault's figure.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay import Project
from assay.config import writing
from assay.evidence import metric
from assay.experiment import experiment
from assay.experiment.result import ExperimentResult
from assay.recipe import Estimator, Recipe, Tabular, Tfidf, Tools, baseline_recipe, fit_recipe
from assay.recipe.trial import LABEL_METRICS
from assay.task import Task
from common import print_result
from experiment_sets import BY_NAME, QUICK, SETS, DataSet

TEST_SHARE = 0.25


@dataclass(frozen=True)
class Outcome:
    """What one contestant did on one split; ``score`` and ``claimed`` in the metric's unit."""

    score: float
    claimed: float | None
    seconds: float
    what: str
    first_seconds: float | None = None


def main() -> None:
    options = _options()
    if options.table:
        print(markdown(json.loads(options.table.read_text())))
        return
    outcomes = _earlier(options)
    for seed in range(options.seeds):
        for name in options.sets:
            if (name, seed) in outcomes:
                continue
            found = outcomes[name, seed] = run_set(BY_NAME[name], seed, options)
            for who, each in found.items():
                print(name, seed, who, json.dumps(each.__dict__), flush=True)
            if options.out:
                with writing(options.out) as path:
                    path.write_text(json.dumps(_told(outcomes, options), indent=1) + "\n")
    print_result(**_told(outcomes, options))


Outcomes = dict[tuple[str, int], dict[str, Outcome]]


def _told(outcomes: Outcomes, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "seconds": options.seconds,
        "load": round(os.getloadavg()[2], 1),
        "contestants": summary(outcomes),
        "results": {
            f"{name}/{seed}": {who: each.__dict__ for who, each in found.items()}
            for (name, seed), found in outcomes.items()
        },
    }


def _earlier(options: argparse.Namespace) -> Outcomes:
    """Return what a run that was stopped has kept."""
    if not (options.out and options.out.exists()):
        return {}
    kept = json.loads(options.out.read_text())
    if kept["seconds"] != options.seconds:
        raise SystemExit(f"{options.out} holds results of {kept['seconds']:g} seconds")
    return {
        (key.rpartition("/")[0], int(key.rpartition("/")[2])): {
            who: Outcome(**each) for who, each in found.items()
        }
        for key, found in kept["results"].items()
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three sets, one seed, 20 seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="*", default=[each.name for each in SETS])
    parser.add_argument("--flaml", help="an interpreter that has FLAML")
    parser.add_argument("--without-random", action="store_true", help="leave random search out")
    parser.add_argument("--out", type=Path, help="results, kept set by set; a stopped run goes on")
    parser.add_argument("--table", type=Path, help="print kept results as Markdown, run nothing")
    options = parser.parse_args()
    if options.quick:
        options.sets, options.seeds, options.seconds = list(QUICK), 1, 20.0
    return options


def run_set(which: DataSet, seed: int, options: argparse.Namespace) -> dict[str, Outcome]:
    """Return every contestant's outcome on one split."""
    rows = which.rows(seed)
    cut = int(rows.height * (1 - TEST_SHARE))
    train, test = rows[:cut], rows[cut:]
    found = {"default": _default(which, train, test)}
    found |= _searched(which, train, test, seed, options.seconds, "tpe")
    if not options.without_random:
        random = _searched(which, train, test, seed, options.seconds, "random")
        found["random"] = random["assay"]
    if options.flaml:
        found["flaml"] = _flaml(which, train, test, seed, options)
    return found


def _default(which: DataSet, train: pl.DataFrame, test: pl.DataFrame) -> Outcome:
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
    return Outcome(score, None, time.perf_counter() - began, "HistGradientBoosting")


def _searched(
    which: DataSet, train: pl.DataFrame, test: pl.DataFrame, seed: int, seconds: float, sampler: str
) -> dict[str, Outcome]:
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


def _flaml(
    which: DataSet,
    train: pl.DataFrame,
    test: pl.DataFrame,
    seed: int,
    options: argparse.Namespace,
) -> Outcome:
    script = Path(__file__).with_name("experiment_flaml.py")
    with tempfile.TemporaryDirectory() as folder:
        train.write_parquet(Path(folder) / "train.parquet")
        test.write_parquet(Path(folder) / "test.parquet")
        began = time.perf_counter()
        words = [which.target, which.metric, str(options.seconds), str(seed)]
        subprocess.run(
            [options.flaml, str(script), folder, *words], check=True, stdout=subprocess.DEVNULL
        )
        took = time.perf_counter() - began
        told = json.loads((Path(folder) / "flaml.json").read_text())
    values = np.array(told["values"])
    truth, classes = test[which.target].to_numpy(), told.get("classes")
    score = metric(which.metric).score(truth, values, classes)
    return Outcome(score, told["claimed"], took, told["what"])


def summary(outcomes: Outcomes) -> dict[str, dict[str, float]]:
    """Return each contestant's mean rank (1 is best), normalised score, and optimism.

    The score is 1 for the best contestant of a split and 0 for the worst; optimism is in the
    same unit, so that sets can be averaged.
    """
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (name, _), found in outcomes.items():
        sign = metric(BY_NAME[name].metric).sign
        scores = {who: sign * each.score for who, each in found.items()}
        best, worst = max(scores.values()), min(scores.values())
        spread = (best - worst) or 1.0
        for who, score in scores.items():
            rank = 1 + sum(other > score for other in scores.values())
            ties = sum(other == score for other in scores.values()) - 1
            figures[who]["mean_rank"].append(rank + ties / 2)
            figures[who]["normalised"].append((score - worst) / spread)
            figures[who]["seconds"].append(found[who].seconds)
            claimed = found[who].claimed
            if claimed is not None:
                gap = sign * claimed - score
                figures[who]["optimism_share"].append(gap / max(abs(score), 1e-9))
            first = found[who].first_seconds
            if first is not None:
                figures[who]["first_seconds"].append(first)
    return {
        who: {what: round(float(np.mean(values)), 4) for what, values in each.items()}
        for who, each in figures.items()
    }


def markdown(told: dict[str, Any]) -> str:
    """Return kept results as two tables: contestants, and each split with its optimism."""
    columns = ("mean_rank", "normalised", "optimism_share", "first_seconds")
    lines = ["| contestant | " + " | ".join(each.replace("_", " ") for each in columns) + " |"]
    lines.append("|---|" + "---|" * len(columns))
    for who, figures in told["contestants"].items():
        cells = [f"{figures[each]:.3f}" if each in figures else "" for each in columns]
        lines.append(f"| {who} | " + " | ".join(cells) + " |")
    names = list(told["contestants"])
    lines += ["", "| split | metric | " + " | ".join(names) + " |"]
    lines.append("|---|---|" + "---|" * len(names))
    for key, found in told["results"].items():
        kind = BY_NAME[key.rpartition("/")[0]].metric
        cells = [_cell(found[who], metric(kind).sign) if who in found else "" for who in names]
        lines.append(f"| {key} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcome: dict[str, Any], sign: int) -> str:
    """Return the score and, in brackets, by how much the claim was better than it."""
    score, claimed = outcome["score"], outcome["claimed"]
    gap = "" if claimed is None else f" ({sign * (claimed - score):+.3g})"
    return f"{score:.4g}{gap}"


if __name__ == "__main__":
    main()
