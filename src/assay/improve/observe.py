"""What a proposal source is shown: the search rows, the pool, the recipe; nothing of the vault."""

from __future__ import annotations

import polars as pl

from assay.ledger import Ledger
from assay.llm import Gateway
from assay.project import Project
from assay.recipe import Observation, ProposalSource, Recipe
from assay.seeds import derive_seed


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
    )
