"""Proposes to leave out, or to relabel, training rows whose label looks wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np

from assay.errors import InputError
from assay.recipe import Embedding, Feature, Mended, Observation, Proposal, Recipe, Tools
from assay.recipe.mending import FEWEST, doubtful

ACTIONS: tuple[tuple[Literal["drop", "relabel"], str], ...] = (
    ("drop", "training rows whose label looks wrong, left out"),
    ("relabel", "training rows whose label looks wrong, relabelled"),
)


class LabelErrorSource:
    """Mends training labels that look wrong; judged rows keep the labels that they came with.

    The edit holds no row ids. Each fold finds its own suspects among its training rows (see
    :mod:`assay.recipe.mending`), so no judged label helps to choose the rows that judge it. The
    count in the rationale is from all search rows; it decides nothing but whether to propose.
    """

    name = "label_errors"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield both edits where any label looks wrong; nothing for a regression.

        Raises
        ------
        InputError
            When there are too few rows to judge one label by the others.
        """
        if observation.task.kind == "regression":
            return
        if observation.search.height < FEWEST:
            raise InputError(
                "There are too few labels to judge one by the others.",
                given=observation.search.height,
                allowed=f"at least {FEWEST}",
            )
        features = _features(observation)
        found, _ = doubtful(
            features,
            observation.search,
            observation.task,
            Tools.of(observation.ledger, observation.gateway),
            folds=5,
            seed=observation.seed,
        )
        count = int(np.count_nonzero(found.flagged))
        if count == 0:
            return
        why = f"about {count:,} of {observation.search.height:,} labels look wrong"
        for action, name in ACTIONS:
            edit = _mending(Mended(features=features, action=action))
            yield Proposal(name, why, "rule:label_errors", edit)


def _features(observation: Observation) -> tuple[Feature, ...]:
    column = observation.task.text
    if column is None:
        return observation.recipe.features
    return (Embedding(column=column, model=observation.embed_model),)


def _mending(mended: Mended) -> Callable[[Recipe], Recipe]:
    def edit(recipe: Recipe) -> Recipe:
        rows = recipe.rows.model_copy(update={"mended": (mended,)})
        return recipe.model_copy(update={"rows": rows})

    return edit
