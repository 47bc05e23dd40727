"""One run: every remedy for a rare class on one split with one model, and what the gate chose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from assay.recipe import Made, Recipe, Tabular, Tools, baseline_recipe, fit_recipe, splits
from assay.recipe.trial import LABEL_METRICS, OutOfFold, out_of_fold
from assay.synth.candidates import made_candidates
from assay.synth.judging import Candidate, Court, Judged, Step, best
from assay.synth.lacking import DOSES
from assay.synth.methods import AUTO, chosen_methods
from assay.synth.scarcity import up_to_balance
from assay.synth.unmade import MOVED, WEIGHTS, remedies
from assay.task import Task
from synth_sets import RareSet

METRICS = ("average_precision", "balanced_accuracy")
"""By default; ``macro_f1`` may be asked for too."""
REPEATS = 2
MAKER = "assay.synth.tabular.made_rows"
MODELS = ("linear", "trees")
OURS = "ours"
RISEN = "kept where the mean rose"


def plain(task: Task, model: str) -> Recipe:
    """Return the model that every remedy is added to."""
    recipe = baseline_recipe(task)
    if model == "linear":
        return recipe
    recipe = recipe.with_features(Tabular(columns=task.features, scale=False))
    return recipe.with_estimator("sklearn.ensemble.RandomForestClassifier", n_estimators=100)


def by_hand(given: RareSet, recipe: Recipe) -> dict[str, Recipe]:
    """Return what a practitioner would do, and synthesis up to balance without a gate."""
    return {
        WEIGHTS: recipe.with_parameters(class_weight="balanced"),
        MOVED: recipe.model_copy(update={"rarity": 1.0}),
        "oversampling": recipe.with_made(made(given.rare, MAKER, "oversample", given.balance)),
        "SMOTE": recipe.with_made(made(given.rare, MAKER, "smote", given.balance)),
        "ungated forest": recipe.with_made(made(given.rare, MAKER, "forest", given.balance)),
        "ungated copula": recipe.with_made(made(given.rare, MAKER, "copula", given.balance)),
    }


def proposals(task: Task, train: pl.DataFrame, recipe: Recipe, rare: str) -> list[Candidate]:
    """Return what the product's gate is given: sifted rows up to balance, and the remedies."""
    methods = chosen_methods(AUTO, task, rare)
    doses = up_to_balance(DOSES, train, task, rare)
    return [*made_candidates(methods, doses, class_name=rare), *remedies(recipe, task)]


def made(rare: str, path: str, method: str, dose: float) -> Made:
    """Return how rows of the rare class are made in each fold."""
    return Made(path=path, class_name=rare, dose=dose, parameters={"method": method})


@dataclass(frozen=True)
class SharedCourt(Court):
    """A court that remembers predictions, with and without a moved threshold, for other metrics."""

    known: dict[str, OutOfFold] = field(default_factory=dict)

    def predicted(
        self, recipes: Sequence[Recipe], step: Step | None = None
    ) -> tuple[OutOfFold, ...]:
        """Return each recipe's predictions; what is known is not predicted again."""
        lacking = [each for each in recipes if each.hash not in self.known]
        both = list({each.hash: each for recipe in lacking for each in _twins(recipe)}.values())
        if both:
            found = splits(self.rows, self.task, seed=self.seed, folds=5, repeats=self.repeats)
            predicted = out_of_fold(
                both, self.rows, self.task, found, tools=self.tools, seed=self.seed
            )
            self.known.update(zip([each.hash for each in both], predicted, strict=True))
        return tuple(self.known[each.hash] for each in recipes)


def run(given: RareSet, model: str, seed: int, metrics: Sequence[str] = METRICS) -> dict[str, Any]:
    """Return every remedy's figures on the test rows, and what was chosen by each metric."""
    recipe = plain(given.task, model)
    shares: dict[str, OutOfFold] = {}
    labels: dict[str, OutOfFold] = {}
    test = {
        name: on_test(given, each, seed)
        for name, each in {"nothing": recipe, **by_hand(given, recipe)}.items()
    }
    chosen: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        task = given.task.model_copy(update={"metric": metric})
        known = labels if metric in LABEL_METRICS else shares
        court = SharedCourt(given.train, task, no_tools(), seed, repeats=REPEATS, known=known)
        judged = court.judge(recipe, proposals(task, given.train, recipe, given.rare))
        chosen[metric] = {
            rule: None if each is None else _told(given, each, seed)
            for rule, each in ((OURS, best(judged)), (RISEN, risen(judged)))
        }
        chosen[metric]["screened"] = [_screened(each) for each in judged]
    return {
        "test": test,
        "chosen": chosen,
        "rare_rows": int((given.train[given.task.target] == given.rare).sum()),
        "train_rows": given.train.height,
        "test_rows": given.test.height,
    }


def on_test(given: RareSet, recipe: Recipe, seed: int) -> dict[str, float]:
    """Return the recipe's figures on the test rows, taught on all rows to learn from."""
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score

    model = fit_recipe(recipe, given.train, given.task, tools=no_tools(), seed=seed)
    shares = model.predict_proba(given.test)
    truth = (given.test[given.task.target] == given.rare).to_numpy()
    told = shares.argmax(axis=1) == 1
    return {
        "average_precision": float(average_precision_score(truth, shares[:, 1])),
        "balanced_accuracy": float(balanced_accuracy_score(truth, told)),
        "macro_f1": float(f1_score(truth, told, average="macro")),
    }


def risen(judged: Sequence[Judged]) -> Judged | None:
    """Return the highest figure among those that rose at all, as one without a test would."""
    risen = [each for each in judged if each.verdict.main.estimate > 0]
    return max(risen, key=lambda each: each.trial.after.estimate, default=None)


def _told(given: RareSet, judged: Judged, seed: int) -> dict[str, Any]:
    return {"name": told_name(judged), "test": on_test(given, judged.recipe, seed)}


def _screened(judged: Judged) -> dict[str, Any]:
    gain = judged.verdict.main
    return {
        "name": told_name(judged),
        "gain": gain.estimate,
        "p_value": gain.p_value,
        "adjusted": judged.adjusted,
        "decision": judged.verdict.decision,
    }


def told_name(judged: Judged) -> str:
    """Return what was proposed, and on top of what."""
    name = judged.candidate.name
    if judged.over is None:
        return name
    return f"{name} {'on top' if judged.candidate.dose else 'in place'} of {judged.over.method}"


def _twins(recipe: Recipe) -> Iterator[Recipe]:
    for rarity in (0.0, 1.0):
        yield recipe.model_copy(update={"rarity": rarity})


def no_tools() -> Tools:
    """Return tools for recipes that read no artefact and no embedding."""
    return Tools(_unused, _unused)


def _unused(*_: object, **__: object) -> Any:
    raise AssertionError("no artefact and no embedding is read")
