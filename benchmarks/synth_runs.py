"""One run: every remedy for a rare class on one split with one model, and how the gate saw it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from assay.evidence import class_guards, compare
from assay.recipe import Made, Recipe, Tabular, Tools, baseline_recipe, fit_recipe, splits
from assay.recipe.trial import OutOfFold, out_of_fold
from assay.task import Task
from synth_sets import RareSet

METRICS = ("average_precision", "balanced_accuracy")
SCREENED = (*METRICS, "auc")

DOSES = (1.0, 4.0)
REPEATS = 2
MAKER = "assay.synth.tabular.made_rows"
CURATED = "assay.synth.curation.curated_rows"
MODELS = ("linear", "trees")
MOVED = "threshold moved"
SIMPLE = ("class weights", MOVED, "oversampling", "SMOTE")


def plain(task: Task, model: str) -> Recipe:
    """Return the model that every remedy is added to."""
    recipe = baseline_recipe(task)
    if model == "linear":
        return recipe
    recipe = recipe.with_features(Tabular(columns=task.features, scale=False))
    return recipe.with_estimator("sklearn.ensemble.RandomForestClassifier", n_estimators=100)


def remedies(given: RareSet, model: str) -> dict[str, Recipe]:
    """Return what a practitioner would do by hand, and synthesis without a gate."""
    recipe = plain(given.task, model)
    return {
        "class weights": recipe.with_parameters(class_weight="balanced"),
        MOVED: recipe.model_copy(update={"rarity": 1.0}),
        "oversampling": _with(recipe, given, MAKER, "oversample", given.balance),
        "SMOTE": _with(recipe, given, MAKER, "smote", given.balance),
        "ungated forest": _with(recipe, given, MAKER, "forest", given.balance),
        "ungated copula": _with(recipe, given, MAKER, "copula", given.balance),
    }


def proposals(given: RareSet, model: str) -> dict[str, Recipe]:
    """Return what the gate chooses among: curated rows at several doses, and the simple ways."""
    recipe = plain(given.task, model)
    simple = {name: found for name, found in remedies(given, model).items() if name in SIMPLE}
    curated = {
        f"curated {method} x{dose:g}": _with(recipe, given, CURATED, method, dose)
        for method in ("smote", "forest", "copula")
        for dose in DOSES
    }
    return simple | curated


def run(
    given: RareSet, model: str, seed: int, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return every remedy's and every proposal's figures on the test rows, and the screening.

    What an earlier run on the same split knows is taken from it; folds and seeds are the same.
    """
    known = known or {"test": {}, "screened": {}}
    base = plain(given.task, model)
    suggested = proposals(given, model)
    judged = {"nothing": base, **remedies(given, model), **suggested}
    lacking = {name: each for name, each in suggested.items() if name not in known["screened"]}
    return {
        "test": {
            name: known["test"].get(name) or on_test(given, recipe, seed)
            for name, recipe in judged.items()
        },
        "screened": {**known["screened"], **screen(given, base, lacking, seed)},
        "rare_rows": int((given.train[given.task.target] == given.rare).sum()),
        "train_rows": given.train.height,
        "test_rows": given.test.height,
    }


def screen(
    given: RareSet, base: Recipe, suggested: Mapping[str, Recipe], seed: int
) -> dict[str, Any]:
    """Return for each proposal its gain and p-value by each metric, and the guards that fail."""
    task, rows = given.task, given.train
    found = splits(rows, task, seed=seed, folds=5, repeats=REPEATS)
    first, *others = out_of_fold(
        (base, *suggested.values()), rows, task, found, tools=_tools(), seed=seed
    )
    truth = rows[task.target].to_numpy()[first.rows]
    screened: dict[str, Any] = {}
    for name, after in zip(suggested, others, strict=True):
        gains = {each: _gain(truth, first, after, task, each, seed) for each in SCREENED}
        guards = class_guards(truth, first.predictions, after.predictions, classes=task.class_names)
        screened[name] = {
            "gains": {each: [gain.estimate, gain.p_value] for each, gain in gains.items()},
            "recall": [[each.estimate, each.p_value] for each in guards],
        }
    return screened


def on_test(given: RareSet, recipe: Recipe, seed: int) -> dict[str, float]:
    """Return the recipe's figures on the test rows, taught on all rows to learn from."""
    from sklearn.metrics import average_precision_score, balanced_accuracy_score

    task = given.task
    model = fit_recipe(recipe, given.train, task, tools=_tools(), seed=seed)
    shares = model.predict_proba(given.test)
    truth = (given.test[task.target] == given.rare).to_numpy()
    return {
        "average_precision": float(average_precision_score(truth, shares[:, 1])),
        "balanced_accuracy": float(balanced_accuracy_score(truth, shares.argmax(axis=1) == 1)),
    }


def _gain(
    truth: np.ndarray, before: OutOfFold, after: OutOfFold, task: Task, metric: str, seed: int
) -> Any:
    return compare(
        truth,
        before.predictions,
        after.predictions,
        metric=metric,
        classes=task.class_names,
        seed=seed,
        replicates=1000,
    )


def _with(recipe: Recipe, given: RareSet, path: str, method: str, dose: float) -> Recipe:
    made = Made(path=path, class_name=given.rare, dose=dose, parameters={"method": method})
    return recipe.with_made(made)


def _tools() -> Tools:
    return Tools(_unused, _unused)


def _unused(*_: object, **__: object) -> Any:
    raise AssertionError("no artefact and no embedding is read")
