"""Recipes, building them, and trials of one against another."""

from __future__ import annotations

from assay.recipe.build import fit_recipe
from assay.recipe.deciding import DecidingModel
from assay.recipe.estimators import new_estimator
from assay.recipe.feature_parts import columns_of
from assay.recipe.making import narrowed
from assay.recipe.model import BlendedModel, FittedModel, Model
from assay.recipe.proposal import Observation, Proposal, ProposalSource
from assay.recipe.rows import MADE_FROM, VOTE, training_rows, voted_rows
from assay.recipe.spec import (
    AddedRows,
    Blended,
    Decision,
    Derived,
    Embedding,
    Estimator,
    Feature,
    Made,
    Mended,
    Raw,
    Recipe,
    Rows,
    Slice,
    Tabular,
    Tfidf,
    Weighted,
    Where,
    conditions_of,
)
from assay.recipe.splits import Split, splits
from assay.recipe.text import (
    baseline_recipe,
    read_recipe,
    recipe_diff,
    recipe_from_toml,
    recipe_to_toml,
    toml_item,
    write_recipe,
)
from assay.recipe.tools import Tools
from assay.recipe.trial import OutOfFold, Trial, compared, out_of_fold, run_trial

__all__ = [
    "MADE_FROM",
    "VOTE",
    "AddedRows",
    "BlendedModel",
    "Blended",
    "Decision",
    "DecidingModel",
    "Derived",
    "Embedding",
    "Estimator",
    "Feature",
    "FittedModel",
    "Made",
    "Mended",
    "Model",
    "Observation",
    "OutOfFold",
    "Proposal",
    "ProposalSource",
    "Raw",
    "Recipe",
    "Rows",
    "Slice",
    "Split",
    "Tabular",
    "Tfidf",
    "Tools",
    "Trial",
    "Weighted",
    "Where",
    "baseline_recipe",
    "columns_of",
    "compared",
    "conditions_of",
    "fit_recipe",
    "narrowed",
    "new_estimator",
    "out_of_fold",
    "read_recipe",
    "recipe_diff",
    "recipe_from_toml",
    "recipe_to_toml",
    "run_trial",
    "splits",
    "toml_item",
    "training_rows",
    "voted_rows",
    "write_recipe",
]
