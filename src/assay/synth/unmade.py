"""What helps a rare class and makes no rows: rows must do better to be worth their making."""

from __future__ import annotations

from assay.recipe import Recipe
from assay.recipe.estimators import accepted_parameters
from assay.task import Task

WEIGHTS = "class weights"
MOVED = "threshold moved"


def remedies(recipe: Recipe, task: Task) -> dict[str, Recipe]:
    """Return the recipe with each remedy that it lacks and that could change the task's metric.

    ``class weights`` weighs each class by the inverse of its rows, where the estimator can.
    ``threshold moved`` divides probabilities by the classes' shares (Menon et al. 2021); it keeps
    the order of two classes' scores, so it is not tried for the area under the curve.
    """
    found: dict[str, Recipe] = {}
    if not task.class_names:
        return found
    accepted = accepted_parameters(recipe.estimator)
    if "class_weight" in accepted and "class_weight" not in recipe.estimator.parameters:
        found[WEIGHTS] = recipe.with_parameters(class_weight="balanced")
    if not recipe.rarity and task.metric != "auc":
        found[MOVED] = recipe.model_copy(update={"rarity": 1.0})
    return found
