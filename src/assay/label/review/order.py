"""Which rows are worth a person's time: uncertain, disputed, and unlike each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.label.result import LabelResult
from assay.label.spec import Answers
from assay.seeds import derive_seed
from assay.tables.rows import ROW_ID

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]
Embed = Callable[[Sequence[str]], NDArray[Any]]

RANDOM_SHARE = 1 / 3
"""Share of a draw that is drawn from all rows alike: what is measured rests on these."""
CANDIDATES = 0.1
"""Share of the rows, the most informative ones, that the others are picked from."""
MOST_CANDIDATES = 5000
OURS = ("probability", "chance", "weight")


def worth_checking(
    result: LabelResult,
    embed: Embed | None = None,
    *,
    n: int = 60,
    seed: int = 0,
    random_share: float = RANDOM_SHARE,
    leave_out: Iterable[str] = (),
) -> pl.DataFrame:
    """Return the rows that a person should check next, in the order to check them.

    Two in three are picked from the tenth of the rows that can teach most (near the threshold or
    the least certain, and where annotators disagree): the best one of each cluster of their
    embeddings, so that near copies are checked once. One in three is drawn at random from all
    others: only these measure how good the labels of the unchecked rows are.

    Parameters
    ----------
    result
        A labelling, with or without gold.
    embed
        Turns texts into vectors, for example ``lambda texts: gateway.embed(model, texts)``;
        asked about at most 5,000 texts. Without it rows are not spread.
    n
        Rows wanted.
    random_share
        Share of them that is drawn at random.
    leave_out
        Ids of rows that were checked already; those that gold holds are left out anyway.

    Returns
    -------
    ``row_id``, the inputs (``input_`` before a name that is one of ours), the label and its
    ``probability``; the ``chance`` of being drawn; and ``weight``: 1 for the random rows, 0 for
    the picked ones (see :data:`assay.label.gold.WEIGHT`). The rows are mixed, so that whoever
    stops early has checked some of both.

    Notes
    -----
    Weighting all drawn rows by 1 / chance is as free of bias, but at the same work a guarantee
    from unequal weights accepts far fewer rows than the exact one from the random third alone.
    """
    left = open_rows(result, set(leave_out))
    size = min(n, len(left))
    random = np.random.default_rng(derive_seed(seed, "review"))
    picked = _picked(result, left, embed, size - round(random_share * size), seed)
    others = np.setdiff1d(left, picked)
    drawn = random.choice(others, size - len(picked), replace=False)
    rows = random.permutation(np.concatenate([picked, drawn]))
    chosen = np.isin(rows, picked)
    chance = np.where(chosen, 1.0, len(drawn) / max(1, len(others)))
    table = result.table[rows].select(ROW_ID, result.task.target, "probability")
    taken = [name for name in result.task.inputs if name in OURS]
    return (
        result.rows.table[rows]
        .rename({name: f"input_{name}" for name in taken})
        .join(table, on=ROW_ID, how="left", maintain_order="left")
        .with_columns(pl.Series("chance", chance), pl.Series("weight", (~chosen).astype(float)))
    )


def open_rows(result: LabelResult, leave_out: Collection[str]) -> Positions:
    """Return the rows that can be checked: those with an answer, where any has one."""
    ids = result.rows.table[ROW_ID].to_list()
    closed = set(result.given) | set(result.rows.why)
    found = [row for row, each in enumerate(ids) if row not in closed and each not in leave_out]
    rows = np.array(found, dtype=np.int64)
    answered: Positions = rows[np.isfinite(result.answers.probability[rows])]
    return answered if np.isfinite(result.answers.probability).any() else rows


def _picked(
    result: LabelResult, rows: Positions, embed: Embed | None, wanted: int, seed: int
) -> Positions:
    """Return the most informative row of each of ``wanted`` clusters of candidates."""
    best = _candidates(result, rows, wanted, seed)
    groups = _groups([result.rows.texts[row] for row in best], embed, wanted, seed)
    first = np.unique(groups, return_index=True)[1]  # candidates stand in order, the best first
    rest = np.setdiff1d(np.arange(len(best)), first)
    chosen: Positions = best[np.concatenate([np.sort(first), rest])[:wanted]]
    return chosen


def _candidates(result: LabelResult, rows: Positions, wanted: int, seed: int) -> Positions:
    """Return the most informative rows first; where nothing is known of any, random ones."""
    tie = np.random.default_rng(derive_seed(seed, "candidates")).uniform(size=len(rows))
    known = np.isfinite(result.answers.probability[rows]).any()
    limit = max(wanted, round(CANDIDATES * len(rows))) if known else len(rows)
    best = np.lexsort((tie, -informative(result)[rows]))
    chosen: Positions = rows[best[: min(limit, MOST_CANDIDATES)]]
    return chosen


def informative(result: LabelResult) -> Floats:
    """Return (n,) how much a check of each row can teach, in [0, 1]."""
    parts = [_rank(_doubt(result)), _rank(disagreement(result.answers))]
    told = [part for part in parts if part is not None]
    return np.mean(told, axis=0) if told else np.zeros(len(result.rows))


def disagreement(answers: Answers) -> Floats:
    """Return (n,) how far annotators differ: the spread of their votes, averaged over classes.

    Those that said nothing of a row, as a model that was not asked about it, do not count.
    """
    said = [each for each in answers.said.values() if each.shape[1]]
    if len(said) < 2:
        return np.zeros(len(answers))
    votes = np.stack(said)
    heard = np.isfinite(votes)
    count = np.maximum(heard.sum(axis=0), 1)
    middle = np.where(heard, votes, 0).sum(axis=0) / count
    squares = np.where(heard, (votes - middle) ** 2, 0).sum(axis=0) / count
    return np.asarray(np.sqrt(squares).mean(axis=1), dtype=np.float64)


def _doubt(result: LabelResult) -> Floats:
    """Return how near each probability is to the threshold, or to none at all without one."""
    probability = np.nan_to_num(result.answers.probability)
    acceptance = result.acceptance
    if acceptance is None or acceptance.threshold is None:
        return 1 - probability
    place = np.argsort(np.argsort(probability, kind="stable")) / max(1, len(probability) - 1)
    cut = float((probability <= acceptance.threshold).mean())
    return np.asarray(1 - np.abs(place - cut), dtype=np.float64)


def _rank(values: Floats) -> Floats | None:
    """Return ranks in [0, 1], ties alike; None where all values are one."""
    _, inverse = np.unique(values, return_inverse=True)
    top = int(inverse.max()) if len(inverse) else 0
    return inverse / top if top else None


def _groups(texts: list[str], embed: Embed | None, wanted: int, seed: int) -> NDArray[np.int64]:
    """Return (m,) the cluster of each text."""
    if embed is None or not 1 < wanted < len(texts):
        return np.arange(len(texts))
    vectors = np.asarray(embed(texts), dtype=np.float64)
    distinct, same = np.unique(vectors, axis=0, return_inverse=True)
    if len(distinct) <= wanted:
        return np.asarray(same.ravel(), dtype=np.int64)
    from sklearn.cluster import KMeans

    seeded = derive_seed(seed, "clusters")
    found = KMeans(wanted, n_init=1, max_iter=50, random_state=seeded).fit_predict(vectors)
    return np.asarray(found, dtype=np.int64)
