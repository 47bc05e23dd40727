"""Which rows are worth a person's time: uncertain, disputed, and unlike each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.label.result import LabelResult
from assay.label.review.draw import RANDOM_SHARE, chances, draw, weights
from assay.label.spec import Answers
from assay.seeds import derive_seed
from assay.tables.rows import ROW_ID

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[Any]]

CANDIDATES = 0.1
"""Share of the rows, the most informative ones, that the valued part of a draw comes from."""
MOST_CANDIDATES = 5000


def worth_checking(
    result: LabelResult,
    embed: Embed | None = None,
    *,
    n: int = 60,
    seed: int = 0,
    leave_out: Sequence[str] = (),
) -> pl.DataFrame:
    """Return the rows that a person should check next, in the order to check them.

    Two in three come from the tenth of the rows that can teach most (near the threshold or the
    least certain, and where annotators disagree), spread over clusters of their embeddings so
    that near copies count once. One in three comes from all rows alike.

    Parameters
    ----------
    result
        A labelling, with or without gold.
    embed
        Turns texts into vectors, for example ``lambda texts: gateway.embed(model, texts)``;
        asked about at most 5,000 texts. Without it rows are not spread.
    n
        Rows wanted.
    leave_out
        Ids of rows that were checked already; those that gold holds are left out anyway.

    Returns
    -------
    ``row_id``, the inputs, the label and its ``probability``; ``chance`` of being drawn, and
    ``weight``: how much a row counts in an estimate over all rows (see
    :data:`assay.label.gold.WEIGHT`). The rows are in random order, so that whoever stops early
    has still checked a fair sample.
    """
    open_rows = _open(result, set(leave_out))
    chosen, chance = _drawn(result, open_rows, embed, n, seed)
    weight = weights([(chance, len(open_rows))])[0]
    table = result.table[chosen].select(ROW_ID, result.task.target, "probability")
    return (
        result.rows.table[chosen]
        .join(table, on=ROW_ID, how="left", maintain_order="left")
        .with_columns(pl.Series("chance", chance), pl.Series("weight", weight))
    )


def _open(result: LabelResult, leave_out: set[str]) -> NDArray[np.int64]:
    """Return the rows that can be checked: those with an answer, where any has one."""
    ids = result.rows.table[ROW_ID].to_list()
    closed = set(result.given) | set(result.rows.why)
    found = [row for row, each in enumerate(ids) if row not in closed and each not in leave_out]
    rows = np.array(found, dtype=np.int64)
    answered = np.isfinite(result.answers.probability[rows])
    return rows[answered] if np.isfinite(result.answers.probability).any() else rows


def _drawn(
    result: LabelResult, rows: NDArray[np.int64], embed: Embed | None, n: int, seed: int
) -> tuple[NDArray[np.int64], Floats]:
    if len(rows) == 0:
        return rows, np.empty(0)
    best = _candidates(result, rows, n, seed)
    groups = _groups([result.rows.texts[row] for row in rows[best]], embed, n, seed)
    worth = np.zeros(len(rows))
    worth[best] = 1 / np.bincount(groups)[groups]  # each group is worth the same
    random = np.random.default_rng(derive_seed(seed, "along"))
    along = random.permutation(len(rows))
    place = np.full(len(rows), -1)
    place[best] = groups
    along = along[np.argsort(place[along], kind="stable")]
    chance = chances(worth, n)
    chosen = draw(chance, along, seed)
    return rows[chosen], chance[chosen]


def _candidates(
    result: LabelResult, rows: NDArray[np.int64], n: int, seed: int
) -> NDArray[np.int64]:
    """Return positions in ``rows``; where nothing is known of any row, of all of them."""
    tie = np.random.default_rng(derive_seed(seed, "candidates")).uniform(size=len(rows))
    known = np.isfinite(result.answers.probability[rows]).any()
    limit = max(n, round(CANDIDATES * len(rows))) if known else len(rows)
    limit = min(limit, MOST_CANDIDATES, len(rows))
    information = informative(result)[rows]
    return np.sort(np.lexsort((tie, -information))[:limit])


def informative(result: LabelResult) -> Floats:
    """Return (n,) how much a check of each row can teach, in [0, 1]."""
    parts = [_rank(_doubt(result)), _rank(disagreement(result.answers))]
    told = [part for part in parts if part is not None]
    return np.mean(told, axis=0) if told else np.zeros(len(result.rows))


def disagreement(answers: Answers) -> Floats:
    """Return (n,) how far annotators differ: the spread of their votes, averaged over classes."""
    shapes = [each.shape for each in answers.votes.values()]
    alike = [each for each in answers.votes.values() if each.shape == shapes[0]]
    if len(alike) < 2 or shapes[0][1] == 0:
        return np.zeros(len(answers))
    stacked = np.nan_to_num(np.stack(alike))
    return np.asarray(stacked.std(axis=0).mean(axis=1), dtype=np.float64)


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


def _groups(texts: list[str], embed: Embed | None, n: int, seed: int) -> NDArray[np.int64]:
    """Return (m,) the cluster of each text: as many clusters as rows will be drawn from them."""
    wanted = round((1 - RANDOM_SHARE) * n)
    if embed is None or not 1 < wanted < len(texts):
        return np.zeros(len(texts), dtype=np.int64)
    vectors = np.asarray(embed(texts), dtype=np.float64)
    distinct = np.unique(vectors, axis=0)
    if len(distinct) <= wanted:
        return np.unique(vectors, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    from sklearn.cluster import KMeans

    seeded = derive_seed(seed, "clusters")
    found = KMeans(wanted, n_init=1, max_iter=50, random_state=seeded).fit_predict(vectors)
    return np.unique(found, return_inverse=True)[1].ravel().astype(np.int64)
