"""Proposes to add pool rows, labelled by votes, to the training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InputError
from assay.label.single.fit import fit_label_free
from assay.label.single.scores import softmax
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.recipe import VOTE, AddedRows, Embedding, Observation, Proposal, Recipe


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
        pool = observation.pool
        if pool.height > self.settings.max_rows:
            pool = pool.sample(self.settings.max_rows, seed=observation.seed)
        columns = ["row_id", *observation.task.inputs]
        rows = pl.concat(
            [
                observation.search.select(columns).with_columns(unlabelled=pl.lit(False)),
                pool.select(columns).with_columns(unlabelled=pl.lit(True)),
            ]
        )
        column = str(observation.task.text)
        rows = rows.with_columns(pl.col(column).cast(pl.String))
        task = LabelTask.of(observation.task).model_copy(update={"inputs": (column,)})
        settings = LabelSettings(
            models=(observation.label_model,),
            embed=observation.embed_model,
            max_text_tokens=self.settings.max_text_tokens,
        )
        return label_free_votes(rows, task, observation.gateway, settings)


def label_free_votes(
    rows: pl.DataFrame, task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> pl.DataFrame:
    """Return ``rows`` with a column ``vote:NAME:CLASS`` for each annotator and class.

    The annotators and the student that they teach see no label: they are those that
    :func:`assay.label.label` uses without gold. Rows that one of them could not answer are
    left out.
    """
    texts = rows[task.inputs[0]].fill_null("").to_list()
    _, votes = fit_label_free(texts, task, gateway, settings)
    columns = [
        pl.Series(f"{VOTE}{name}:{each}", shares[:, code])
        for name, shares in zip(votes.names, map(softmax, votes.scores), strict=True)
        for code, each in enumerate(task.class_names)
    ]
    answered = np.isfinite(votes.scores).all(axis=(0, 2))
    return rows.with_columns(columns).filter(pl.Series(answered))


def _adding(added: AddedRows) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        others = tuple(each for each in recipe.rows.added if each.votes != added.votes)
        rows = recipe.rows.model_copy(update={"added": (*others, added)})
        return recipe.model_copy(update={"rows": rows})

    return edit
