"""Drops rows whose label an independent annotator does not see in them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from assay.recipe import MADE_FROM
from assay.synth.curation.judges import FOLDS, Lesson, annotators, encoded
from assay.synth.curation.numbers import Floats, codes
from assay.synth.spec import Order, Sifted, sifted

LOWEST = 0.1
"""A made row may look as little like its class as all but this share of the class's real rows."""

Annotator = Callable[[pl.DataFrame], Floats]


class ConsistentLabels:
    """An annotator that never saw the row's own parent finds the label plausible.

    By default a model of the search rows, cross-fitted: a made row is judged by the model that
    was taught without the row it was made from. The bar is what real rows of the class get.

    Parameters
    ----------
    annotator
        Another one: from rows to (n, k) probabilities in the order of ``task.class_names``,
        for example a language model through the gateway.
    """

    name = "label consistency"

    def __init__(self, annotator: Annotator | None = None) -> None:
        self._annotator = annotator

    def sift(self, made: pl.DataFrame, order: Order) -> Sifted:
        """Compare each made row with the lower tenth of its class's real rows."""
        task, rows = order.task, order.rows
        if task.kind == "regression" or made.is_empty() or rows[task.target].n_unique() < 2:
            return sifted(made, [None] * made.height, self.name)
        truth, given = codes(rows[task.target], task), codes(made[task.target], task)
        if self._annotator is not None:
            of_real, of_made = self._annotator(rows), self._annotator(made)
        else:
            of_real, of_made = _cross_fitted(made, order)
        bars = {
            code: np.quantile(of_real[truth == code, code], LOWEST)
            for code in np.unique(given)
            if (truth == code).any()
        }
        seen = of_made[np.arange(len(given)), given]
        doubted = seen < np.array([bars.get(code, 0.0) for code in given])
        likeliest = of_made.argmax(axis=1)
        reasons = [
            None
            if not doubt
            else f"looks like {task.class_names[other]}"
            if other != own
            else f"looks less like {task.class_names[own]} than its real rows"
            for doubt, other, own in zip(doubted, likeliest, given, strict=True)
        ]
        return sifted(made, reasons, self.name)


def _cross_fitted(made: pl.DataFrame, order: Order) -> tuple[Floats, Floats]:
    """Return (n, k) probabilities of the search rows, and (m, k) of the made ones."""
    lesson = Lesson.of(order)
    found = annotators(lesson)
    numbers = encoded(lesson).made(made)
    places = {row_id: at for at, row_id in enumerate(order.rows["row_id"].to_list())}
    parents = [places.get(each) for each in made[MADE_FROM].to_list()]
    blind = np.array([-1 if at is None else found.fold[at] for at in parents])
    of_made = np.zeros((made.height, found.of_real.shape[1]))
    for number, judge in enumerate(found.judges):
        if judge is not None:
            weight = np.where(blind == number, 1.0, np.where(blind == -1, 1 / FOLDS, 0.0))
            of_made[:, judge.classes_] += weight[:, None] * judge.predict_proba(numbers)
    return found.of_real, of_made
