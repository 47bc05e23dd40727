"""Proposes to add pool rows, labelled by votes, to the training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InputError
from assay.label.votes import collect_votes
from assay.recipe import AddedRows, Embedding, Observation, Proposal, Recipe


class PoolLabelling(BaseModel):
    """Settings of the pool-labelling source.

    Attributes
    ----------
    max_rows
        Pool rows asked at most; a seeded sample where there are more.
    max_text_tokens
        Longer texts are cut to head and tail.
    confidences
        Least combined probabilities to try, each a proposal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=3000, ge=1)
    max_text_tokens: int = Field(default=48, ge=8)
    confidences: tuple[float, ...] = (0.9,)


class PoolLabelSource:
    """Labels the pool with the language model and embedding similarity; adds confident rows.

    The votes never see a label. How much each counts is learned from the training rows at hand
    (see :func:`assay.recipe.voted_rows`), inside each fold, so no judged row helps to label the
    rows that judge it.
    """

    name = "label"

    def __init__(self, settings: PoolLabelling | None = None) -> None:
        self.settings = PoolLabelling() if settings is None else settings

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for each confidence, the same votes under all of them.

        Raises
        ------
        InputError
            When there is nothing to label: no pool, no text, or no classes.
        """
        task, column = observation.task, observation.task.text
        if column is None or task.kind == "regression":
            raise InputError("Pool rows are labelled for text classification only, so far.")
        if observation.pool.is_empty():
            raise InputError(
                "There are no unlabelled rows to label.",
                next_step="add rows with an empty target and run assay init again",
            )
        votes = self._votes(observation)
        artefact = observation.ledger.put_table(votes, name="votes.parquet")
        embedding = Embedding(column=column, model=observation.embed_model)
        count = int(votes["unlabelled"].sum())
        for confidence in self.settings.confidences:
            added = AddedRows(votes=artefact, features=(embedding,), min_confidence=confidence)
            yield Proposal(
                f"unlabelled rows, labelled with at least {confidence:.0%} confidence",
                f"{count:,} unlabelled rows hold words that the labelled ones lack",
                observation.label_model,
                _adding(added),
            )

    def _votes(self, observation: Observation) -> pl.DataFrame:
        column = observation.task.text
        pool = observation.pool
        if pool.height > self.settings.max_rows:
            pool = pool.sample(self.settings.max_rows, seed=observation.seed)
        columns = ["row_id", *observation.task.inputs]
        rows = pl.concat(
            [
                observation.search.select(columns).with_columns(unlabelled=pl.lit(False)),
                pool.select(columns).with_columns(unlabelled=pl.lit(True)),
            ]
        ).with_columns(pl.col(column or "").cast(pl.String))
        return collect_votes(
            rows,
            observation.task,
            observation.gateway,
            label_model=observation.label_model,
            embed_model=observation.embed_model,
            max_text_tokens=self.settings.max_text_tokens,
        )


def _adding(added: AddedRows) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        others = tuple(each for each in recipe.rows.added if each.votes != added.votes)
        rows = recipe.rows.model_copy(update={"added": (*others, added)})
        return recipe.model_copy(update={"rows": rows})

    return edit
