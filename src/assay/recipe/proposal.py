"""Proposals, the sources that make them, and all that a source may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import polars as pl

from assay.recipe.spec import Recipe
from assay.task import Task

if TYPE_CHECKING:
    from assay.ledger import Ledger
    from assay.llm import Gateway


@dataclass(frozen=True)
class Proposal:
    """A suggested edit of the recipe.

    Attributes
    ----------
    name
        Short and stable; with the recipe it identifies the proposal across a resumed run.
    rationale
        Why it may help, in one plain sentence.
    origin
        Who suggested it: ``rule:NAME`` or the language model's name.
    edit
        The edit itself: a pure function from recipe to recipe.
    """

    name: str
    rationale: str
    origin: str
    edit: Callable[[Recipe], Recipe] = field(repr=False)

    def apply(self, recipe: Recipe) -> Recipe:
        """Return the edited recipe; the same recipe when the edit changes nothing."""
        return self.edit(recipe)


@dataclass(frozen=True)
class Observation:
    """All that a proposal source may see. It holds nothing of the vault.

    Attributes
    ----------
    search
        Labelled rows: ``row_id``, inputs, target.
    pool
        Unlabelled rows: ``row_id``, inputs.
    gateway
        The door to language models; its budget is the run's.
    ledger
        Where artefacts are put.
    seed
        Randomness for this source.
    label_model, embed_model
        The models that the project names for labels and for sentence embeddings.
    constraints
        The text of the project's ``constraints.toml``, which made rows must hold; empty where
        there is none.
    """

    task: Task
    recipe: Recipe
    search: pl.DataFrame
    pool: pl.DataFrame
    gateway: Gateway
    ledger: Ledger
    seed: int
    label_model: str = "local:smollm2-135m"
    embed_model: str = "local:minilm"
    constraints: str = ""


@runtime_checkable
class ProposalSource(Protocol):
    """Suggests edits. Registered under the entry-point group ``assay.sources``."""

    name: str

    def propose(self, observation: Observation) -> Iterable[Proposal]:
        """Yield proposals, the most promising first."""
        ...
