"""What helps a rare class and makes no rows: rows must do better to be worth their making."""

from __future__ import annotations

from assay.evidence.guards import TRADES
from assay.recipe import Recipe
from assay.recipe.estimators import accepted_parameters
from assay.recipe.trial import ORDER_METRICS
from assay.synth.judging import Candidate
from assay.task import Task

WEIGHTS = "class weights"
MOVED = "threshold moved"
ORIGIN = "rule:reweighing"


def remedies(recipe: Recipe, task: Task) -> list[Candidate]:
    """Return each remedy that the recipe lacks and that could change the task's metric.

    ``class weights`` weighs each class by the inverse of its rows, where the estimator can.
    ``threshold moved`` divides probabilities by the classes' shares (Menon et al. 2021). It keeps
    the order of two classes' scores, so it is not tried for the area under the curve; it is what
    theory calls for where balanced accuracy is the metric. Each takes the other's place, in the
    recipe as in a run: both at once would correct for the same shares twice.
    """
    found: list[Candidate] = []
    if not task.class_names:
        return found
    leader = _leader(task)
    accepted = accepted_parameters(recipe.estimator)
    weights = recipe.estimator.parameters.get("class_weight")
    if "class_weight" in accepted and weights is None:
        weighed = recipe.with_parameters(class_weight="balanced")
        weighed = weighed.model_copy(update={"rarity": 0.0})
        found.append(Candidate(WEIGHTS, 0.0, ORIGIN, lambda _: weighed, leader == WEIGHTS))
    if not recipe.rarity and task.metric not in ORDER_METRICS:
        even = recipe.with_parameters(class_weight=None) if weights == "balanced" else recipe
        moved = even.model_copy(update={"rarity": 1.0})
        found.append(Candidate(MOVED, 0.0, ORIGIN, lambda _: moved, leader == MOVED))
    return found


def _leader(task: Task) -> str | None:
    """Return the remedy that is judged before all else, so that what follows must add to it.

    Under balanced accuracy theory names it. Under macro-F1 it is what helped most on texts, whose
    rare classes a model of few rows hardly ever says; on tables weights cost macro-F1 as often as
    they add to it, so there nothing leads.
    """
    if task.metric == TRADES:
        return MOVED
    return WEIGHTS if task.metric == "macro_f1" and task.text is not None else None
