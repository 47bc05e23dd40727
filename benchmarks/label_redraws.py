"""How often a guarantee of precision breaks when the gold rows are drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from assay.evidence import accept_threshold
from assay.label import LabelSettings
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.label.single.beside import Unlabelled
from assay.label.single.fit import fit_label_free, weighed
from assay.label.single.fitted import TUNED, FittedSingle, total
from assay.label.single.scores import softmax
from assay.llm import Gateway
from label_sets import TextSet, gold_of

PRECISIONS = (0.90, 0.95)
CONFIDENCE = 0.95
REDRAWN = 100


def accepts(fitted: FittedSingle, probability: Any, precision: float) -> Any:
    """Return which rows are accepted at a precision guaranteed on the gold rows."""
    checked = fitted.checked
    if checked is None:
        return np.zeros(len(probability), dtype=bool)
    return accept_threshold(
        checked.probability, checked.correct, precision=precision, confidence=CONFIDENCE
    ).accepts(probability)


@dataclass(frozen=True)
class Redraws:
    """How gold is drawn anew.

    Attributes
    ----------
    draws
        How often in all.
    tuned
        With the fine-tuned student.
    split
        From the set's other split, not from the rows to label.
    rows_of
        The seed that drew the rows to label.
    """

    draws: int
    tuned: bool = False
    split: bool = False
    rows_of: int = 0


def redraws(
    data: TextSet, gateway: Gateway, how: Redraws, count: int, held: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield how often the accepted rows are less precise than guaranteed, after each redraw.

    Parameters
    ----------
    count
        Most rows to label.
    held
        The counts of the redraws so far, by precision: these go on from there. Each redraw has a
        seed of its own, its number.
    """
    counts = {
        f"{each:.2f}": dict(held.get(f"{each:.2f}", {"draws": 0, "reached": 0, "failed": 0}))
        for each in PRECISIONS
    }
    begun = min(each["draws"] for each in counts.values())
    if begun >= how.draws:
        return
    redrawn = _redrawing(data, gateway, how, count)
    for number in range(begun, how.draws):
        for precision, (reached, failed) in redrawn(number).items():
            each = counts[f"{precision:.2f}"]
            each["draws"] += 1
            each["reached"] += reached
            each["failed"] += failed
        yield counts


def _redrawing(
    data: TextSet, gateway: Gateway, how: Redraws, count: int
) -> Callable[[int], dict[float, tuple[bool, bool]]]:
    """Return what draws gold once: by precision, whether rows were accepted and broke it."""
    settings = LabelSettings(neighbours=0, examples=0)
    asked = data.rows.sample(min(count, data.rows.height), shuffle=True, seed=how.rows_of)
    pool = gold_of(data)
    everything, task = read_rows(pl.concat([asked, pool]) if how.split else asked, data.task)
    base, said = fit_label_free(everything.texts, task, gateway, settings)
    unlabelled = Unlabelled(list(everything.texts), said) if how.tuned else None
    votes = base.votes(everything.texts, gateway)
    truth = pl.concat([asked, pool])[task.target].to_numpy()[: len(everything.texts)]
    first = asked.height if how.split else 0

    def redrawn(number: int) -> dict[float, tuple[bool, bool]]:
        random = np.random.default_rng([0, number])
        drawn = first + random.choice(len(truth) - first, REDRAWN, replace=False)
        judged = np.setdiff1d(np.arange(asked.height), drawn)
        table = pl.DataFrame({"text": [everything.texts[row] for row in drawn],
                              task.target: truth[drawn].tolist()})  # fmt: skip
        gold = read_gold(table, task, kind_of(task), everything)
        assert gold is not None
        fitted = weighed(base, gold, gateway, unlabelled, told=False)
        shown = votes if fitted.student is not None else votes.upto(len(fitted.annotators))
        shown = shown.only(judged)
        if fitted.tuned is not None:
            texts = [everything.texts[row] for row in judged]
            shown = shown.beside(TUNED, fitted.tuned.scores(texts))
        shares = softmax(fitted.temperature * total(shown, fitted.weights))
        said_of = np.array(task.class_names)[shares.argmax(axis=1)]
        right = said_of == truth[judged]
        found = {}
        for precision in PRECISIONS:
            accepted = accepts(fitted, shares.max(axis=1), precision)
            reached = bool(accepted.any())
            found[precision] = reached, reached and bool(right[accepted].mean() < precision)
        return found

    return redrawn
