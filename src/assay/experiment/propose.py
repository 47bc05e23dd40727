"""Rules that propose edits of features, class weights, regularisation and estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from assay.experiment.spec import INVERSE_STRENGTHS, candidates
from assay.recipe import Embedding, Observation, Proposal, Recipe
from assay.recipe.estimators import accepted_parameters, new_estimator
from assay.task import Task


class FeatureSource:
    """Sentence embeddings beside the recipe's text features, and in place of them."""

    name = "features"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield both edits for a text task; nothing for a table without text."""
        column = observation.task.text
        if column is None:
            return
        embedding = Embedding(column=column, model=observation.embed_model)
        yield Proposal(
            "sentence embeddings beside the words",
            "rows that mean the same may share few words",
            "rule:features",
            lambda recipe: recipe.with_feature(embedding),
        )
        yield Proposal(
            "sentence embeddings in place of the words",
            "few rows cannot fill a large vocabulary, and 384 numbers are easier to learn from",
            "rule:features",
            lambda recipe: recipe.with_features(embedding),
        )


class ClassWeightSource:
    """Weighs rare classes up."""

    name = "class_weights"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for a classification."""
        if observation.task.kind == "regression":
            return
        yield Proposal(
            "classes weighted by their rarity",
            "a model that rarely sees a class learns to ignore it",
            "rule:class_weights",
            _where_accepted("class_weight", "balanced"),
        )


class ThresholdSource:
    """Chooses the threshold between two classes on rows that the model did not see.

    It costs five further fits a fold, so it asks only where that can pay: under macro F1, and under
    accuracy where the recipe weighs rare classes up, which moves its probabilities.
    """

    name = "threshold"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit where classes, not probabilities, of a binary task are judged."""
        aim = threshold_aim(observation.task)
        if aim is None or (aim == "cost" and not _weighs_classes(observation.recipe)):
            return
        yield Proposal(
            f"threshold chosen for {'macro F1' if aim == 'macro_f1' else 'the fewest mistakes'}",
            "the likelier class is the better answer only where probabilities are right and "
            "both mistakes weigh the same",
            "rule:threshold",
            lambda recipe: recipe.with_threshold(aim) if _may_decide(recipe) else recipe,
        )


def threshold_aim(task: Task) -> Literal["cost", "macro_f1"] | None:
    """Return what a threshold is to be chosen for; None where neither aim is the metric's."""
    aims: dict[str, Literal["cost", "macro_f1"]] = {"accuracy": "cost", "macro_f1": "macro_f1"}
    return aims.get(task.metric) if task.kind == "binary" else None


class RegularisationSource:
    """Loosens, then tightens, a linear model's regularisation."""

    name = "regularisation"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for each strength of the short list."""
        for inverse in INVERSE_STRENGTHS:
            if inverse > 1:
                name = f"regularisation {inverse:g} times weaker"
                why = "the default may hold the model too close to the class frequencies"
            else:
                name = f"regularisation {1 / inverse:g} times stronger"
                why = "the default may let the model follow noise"
            yield Proposal(name, why, "rule:regularisation", _with_inverse_strength(inverse))


class EstimatorSource:
    """Replaces the estimator by one of a short list."""

    name = "estimators"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for each estimator that suits the task."""
        for path, parameters, rationale in candidates(observation.task):
            yield Proposal(
                path.rpartition(".")[2],
                rationale,
                "rule:estimators",
                _with_estimator(path, parameters),
            )


def _weighs_classes(recipe: Recipe) -> bool:
    members = [each for _, each in recipe.members]
    return any(each.rarity or each.estimator.parameters.get("class_weight") for each in members)


def _may_decide(recipe: Recipe) -> bool:
    """Return whether no decision is stated yet and probabilities can be had."""
    if recipe.decision is not None:
        return False
    return bool(recipe.blend) or hasattr(new_estimator(recipe.estimator, 0), "predict_proba")


def _with_estimator(path: str, parameters: dict[str, Any]) -> Callable[[Recipe], Recipe]:
    return lambda recipe: recipe.with_estimator(path, **parameters)


def _where_accepted(name: str, value: object) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        accepted = name in accepted_parameters(recipe.estimator)
        return recipe.with_parameters(**{name: value}) if accepted else recipe

    return edit


def _with_inverse_strength(inverse: float) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        accepted = accepted_parameters(recipe.estimator)
        if "C" in accepted:
            return recipe.with_parameters(C=inverse)
        if "alpha" in accepted:
            return recipe.with_parameters(alpha=1 / inverse)
        return recipe

    return edit
