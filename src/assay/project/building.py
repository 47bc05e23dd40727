"""A recipe built on all search rows: as it is for the vault, for new rows, and for a tracker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from assay.evidence import Confirmation
from assay.recipe import Model, Recipe, Tools, fit_recipe
from assay.recipe.trial import reads_probabilities
from assay.seeds import derive_seed

if TYPE_CHECKING:
    from assay.evidence.confirmation import Predict
    from assay.project.project import Project


def built(
    project: Project, recipe: Recipe, *, tools: Tools, search: pl.DataFrame | None = None
) -> Model:
    """Build ``recipe`` on all search rows; ``search`` are these, where they are read already."""
    rows = project.search() if search is None else search
    seed = derive_seed(project.settings.seed, "confirm")
    return fit_recipe(recipe, rows, project.task, tools=tools, seed=seed)


def confirm(
    project: Project, before: Recipe, after: Recipe, *, tools: Tools, run: str
) -> Confirmation:
    """Build both recipes on all search rows and compare them on the vault, in one look.

    Raises
    ------
    VaultError
        When no look is left, or the rows were altered.
    """
    settings, search = project.settings, project.search()

    def predictor(recipe: Recipe) -> Predict:
        model = built(project, recipe, tools=tools, search=search)
        probabilities = reads_probabilities(project.task)
        return lambda rows: model.predictions(rows, probabilities=probabilities)

    return project.vault().confirm(
        predictor(before),
        predictor(after),
        key=question(before, after, project.task.metric),
        run=run,
        min_effect=settings.min_effect,
        allowed_loss=settings.max_class_loss,
        seed=settings.seed,
    )


def question(before: Recipe, after: Recipe, metric: str) -> str:
    """Return what a look at the vault for these two recipes by this metric is known by."""
    return f"{before.hash}:{after.hash}:{metric}"
