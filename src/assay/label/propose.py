"""Proposes to add pool rows, labelled by votes, to the training rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from assay.errors import InputError
from assay.label.rows import rows_of
from assay.label.single.fit import fit_label_free
from assay.label.single.scores import softmax
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway
from assay.llm.registry import EMBEDDED
from assay.recipe import (
    VOTE,
    AddedRows,
    Embedding,
    Feature,
    Observation,
    Proposal,
    Recipe,
    Tabular,
)
from assay.tables import ROW_ID


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

    Of a table each row is told as ``column: value`` lines. Rows that speak to the annotator are
    left out.

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
            When there is nothing to label, no pool or no classes; and of a table, when no model but
            the embedded one is named, which cannot read it.
        """
        if observation.task.kind == "regression":
            raise InputError("Pool rows are labelled with classes, not with values.")
        if observation.pool.is_empty():
            raise InputError(
                "There are no unlabelled rows to label.",
                next_step="add rows with an empty target and run assay init again",
            )
        if observation.task.text is None and observation.label_model == EMBEDDED:
            raise InputError(
                "The embedded model cannot label the rows of a table.",
                next_step="name another one in assay.toml: [settings.models] label",
            )
        votes = self._votes(observation)
        artefact = observation.ledger.put_table(votes, name="votes.parquet")
        feature = _weighed_beside(observation)
        count = int(votes["unlabelled"].sum())
        for confidence in self.settings.confidences:
            added = AddedRows(votes=artefact, features=(feature,), min_confidence=confidence)
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
        columns = [ROW_ID, *observation.task.inputs]
        rows = pl.concat(
            [
                observation.search.select(columns).with_columns(unlabelled=pl.lit(False)),
                pool.select(columns).with_columns(unlabelled=pl.lit(True)),
            ]
        )
        task = LabelTask.of(observation.task)
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
    :func:`assay.label.label` uses without gold. Rows that one of them could not answer, that say
    nothing, or that speak to the annotator are left out.
    """
    read = rows_of(rows.select(ROW_ID, *task.inputs), task)
    fit = [row for row in range(len(read)) if row not in read.unfit]
    rows = rows[fit]
    _, votes = fit_label_free([read.texts[row] for row in fit], task, gateway, settings)
    columns = [
        pl.Series(f"{VOTE}{name}:{each}", shares[:, code])
        for name, shares in zip(votes.names, map(softmax, votes.scores), strict=True)
        for code, each in enumerate(task.class_names)
    ]
    answered = np.isfinite(votes.scores).all(axis=(0, 2))
    return rows.with_columns(columns).filter(pl.Series(answered))


def _weighed_beside(observation: Observation) -> Feature:
    """Return what the weighing reads beside the votes."""
    task = observation.task
    if task.text is None:
        return Tabular(columns=task.features)
    return Embedding(column=task.text, model=observation.embed_model)


def _adding(added: AddedRows) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        others = tuple(each for each in recipe.rows.added if each.votes != added.votes)
        rows = recipe.rows.model_copy(update={"added": (*others, added)})
        return recipe.model_copy(update={"rows": rows})

    return edit
