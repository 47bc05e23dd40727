"""A threshold for each class, where a set of classes may be accepted in part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.evidence import accept_by_class as evidence_by_class
from assay.evidence.accepting import Acceptance
from assay.label.result import LabelResult
from assay.label.spec import CHANCES
from assay.tables.rows import ROW_ID


@dataclass(frozen=True, eq=False)
class ClassThresholds:
    """Which classes of which rows can be used without a check.

    Attributes
    ----------
    acceptances
        Each class's threshold; a class that gold never saw proposed has none.
    table
        ``row_id``, ``class``, ``probability``, ``accepted``: one row for each class proposed.
    """

    acceptances: Mapping[str, Acceptance]
    table: pl.DataFrame


def accept_by_class(
    result: LabelResult, *, precision: float = 0.95, confidence: float = 0.95
) -> ClassThresholds:
    """Accept classes one by one: each accepted class is right often enough, all at once.

    Parameters
    ----------
    result
        Of a multi-label task with gold. Rows that were picked for a review do not count, and
        one that a reviewer called wrong, without a better answer, counts against all its classes.
    precision
        Share of the rows given a class that must truly have it, for every class.
    confidence
        How sure all thresholds together must be (Bonferroni).

    Raises
    ------
    InputError
        When the task is of another kind, there is no gold, or a cascade of models answered: which
        of them answers a row was decided on the same gold.
    """
    checked = None if result.checked is None else result.checked.measured
    if result.task.kind != "multi" or checked is None:
        raise InputError(
            "Thresholds by class need a multi-label task with gold.", given=result.task.kind
        )
    if result.cascaded:
        raise InputError(
            "Thresholds by class are those of one model, not of a cascade.",
            given=", ".join(each.model for each in result.stages),
            next_step="label with one of them",
        )
    names = result.task.class_names
    chances = checked.votes[CHANCES]
    rows, columns = np.nonzero(np.nan_to_num(chances) > 0.5)
    acceptances: dict[str, Acceptance] = {}
    if len(rows):
        right = [names[j] in (checked.truth[i] or ()) for i, j in zip(rows, columns, strict=True)]
        proposed = [names[j] for j in columns]
        weights = None if checked.weights is None else checked.weights[rows]
        acceptances = evidence_by_class(chances[rows, columns], right, proposed, weights=weights,
                                        precision=precision, confidence=confidence)  # fmt: skip
    return ClassThresholds(acceptances, _table(result, acceptances))


def _table(result: LabelResult, acceptances: Mapping[str, Acceptance]) -> pl.DataFrame:
    names, chances = result.task.class_names, result.answers.votes[CHANCES]
    rows, columns = np.nonzero(np.nan_to_num(chances) > 0.5)
    accepted = []
    for row, column in zip(rows, columns, strict=True):
        acceptance = acceptances.get(names[column])
        safe = acceptance is not None and row not in result.rows.suspect
        accepted.append(safe and bool(acceptance.accepts([chances[row, column]])[0]))  # type: ignore[union-attr]
    ids = result.rows.table[ROW_ID].gather(rows.tolist())
    return pl.DataFrame(
        {
            ROW_ID: ids,
            "class": pl.Series([names[column] for column in columns], dtype=pl.String),
            "probability": chances[rows, columns],
            "accepted": pl.Series(accepted, dtype=pl.Boolean),
        }
    )
