"""What a proposal source is shown: the search rows, the pool, the recipe; nothing of the vault."""

from __future__ import annotations

import polars as pl

from assay.ledger import Ledger
from assay.llm import Gateway
from assay.project import Project
from assay.recipe import Observation, ProposalSource, Recipe
from assay.seeds import derive_seed
from assay.synth.constraints import constraints_to_toml, stated_constraints


def observe(
    project: Project,
    source: ProposalSource,
    recipe: Recipe,
    *,
    search: pl.DataFrame,
    pool: pl.DataFrame,
    gateway: Gateway,
    ledger: Ledger,
) -> Observation:
    """Return what ``source`` may see, with randomness of its own."""
    return Observation(
        task=project.task,
        recipe=recipe,
        search=search,
        pool=pool,
        gateway=gateway,
        ledger=ledger,
        seed=derive_seed(project.settings.seed, "source", source.name),
        label_model=project.settings.models.label,
        embed_model=project.settings.models.embed,
        constraints=stated_text(project),
    )


def stated_text(project: Project) -> str:
    """Return what the project's ``constraints.toml`` says; empty where there is none.

    Raises
    ------
    InputError
        When it is not usable.
    """
    stated = stated_constraints(project)
    return "" if stated is None else constraints_to_toml(stated)
