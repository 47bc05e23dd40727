"""Conjunctions of up to three conditions on which the loss is high, by matrix products.

In the manner of SliceLine (Sagadeeva and Boehm 2021): sizes and loss sums of all pairs at once
come from one product of the matrix of conditions with itself, those of triples from the product
of the best pairs with it; what is too small, or no better than its parents, is pruned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.diagnose.atoms import Atom
from assay.diagnose.case import Floats
from assay.tables.predicate import Mask

ATOMS, RARE = 400, 50
"""Conditions that are combined, and rare ones beside them: those with the highest scores."""
PAIRS = 150
"""Pairs that a third condition is added to."""
CANDIDATES = 300
"""Slices of each length that are thinned to the reported ones."""
SHORTER = 1.0
"""What each further condition must add to the score, so that the shorter of equals is told."""


@dataclass(frozen=True)
class Slice:
    """A conjunction: the positions of its atoms, and its score on the rows it was found on.

    ``score`` is the z-statistic of the mean loss within against that without, less one
    point for each condition after the first.
    """

    atoms: tuple[int, ...]
    score: float


def strongest(found: Iterable[Atom], losses: Floats) -> tuple[list[Atom], int]:
    """Return the atoms on which the loss is highest, and how many there were.

    At most 400, and 50 rare ones: these are many, and would crowd out what combines better.
    """
    kept: dict[bool, list[tuple[float, int, Atom]]] = {False: [], True: []}
    count = 0
    for atom in found:
        size, total = atom.mask.sum(), losses[atom.mask].sum()
        own = kept[atom.rare]
        own.append((-float(slice_scores(size, losses, total)), count, atom))
        count += 1
        if len(own) >= 2 * ATOMS:
            kept[atom.rare] = _first(own, ATOMS)
    best = [*_first(kept[False], ATOMS), *_first(kept[True], RARE)]
    return [atom for _, _, atom in sorted(best, key=lambda each: each[1])], count


def _first(scored: list[tuple[float, int, Atom]], most: int) -> list[tuple[float, int, Atom]]:
    return sorted(scored, key=lambda each: each[:2])[:most]


def worst_slices(
    found: Sequence[Atom],
    losses: Floats,
    *,
    fewest: int,
    most: int,
    score: float,
    longest: int = 3,
) -> tuple[list[Slice], int]:
    """Return the slices with the highest loss, thinned, and how many were weighed.

    Each next slice is the best one after the excess of those before it was taken out of the
    losses, so that the shadow of a slice is not reported as another.

    Parameters
    ----------
    losses
        (n,) loss of each row.
    fewest
        The smallest size.
    most
        How many to return at most.
    score
        The lowest score that is returned.
    longest
        The most conditions of a slice: 1, 2 or 3.
    """
    if not found or losses.std() == 0:
        return [], 0
    matrix = np.stack([each.mask for each in found], axis=1).astype(np.float32)
    weighed = matrix.shape[1]
    alone = slice_scores(matrix.sum(axis=0), losses, matrix.T @ losses.astype(np.float32))
    slices = [Slice((int(place),), float(alone[place])) for place in _top(alone, CANDIDATES)]
    pairs, count = _pairs(matrix, losses, fewest) if longest > 1 else ([], 0)
    weighed += count
    slices += [Slice((i, j), value - SHORTER) for i, j, value in pairs]
    if pairs and longest > 2:
        triples, count = _triples(matrix, losses, pairs[:PAIRS], fewest)
        weighed += count
        slices += [Slice(places, value - 2 * SHORTER) for places, value in triples]
    slices = [each for each in slices if each.score >= score]
    return _thinned(slices, found, losses, most, score), weighed


def conjunction(found: Sequence[Atom], places: Sequence[int]) -> Mask:
    """Return (n,) which rows fulfil all atoms at these places."""
    mask = found[places[0]].mask
    for place in places[1:]:
        mask = mask & found[place].mask
    return mask


def slice_scores(sizes: Any, losses: Floats, sums: Any) -> Floats:
    """Return the z-statistic of each slice, -inf where one side is empty."""
    n, total, spread = len(losses), float(losses.sum()), float(losses.std())
    sizes, sums = np.asarray(sizes, np.float64), np.asarray(sums, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = sums / sizes - (total - sums) / (n - sizes)
        score = gap / (spread * np.sqrt(1 / sizes + 1 / (n - sizes)))
    return np.where((sizes > 0) & (sizes < n), score, -np.inf)


def _top(values: Floats, count: int) -> np.ndarray:
    order = np.argsort(-values, kind="stable")[:count]
    return order[np.isfinite(values[order])]


def _pairs(
    matrix: np.ndarray, losses: Floats, fewest: int
) -> tuple[list[tuple[int, int, float]], int]:
    sizes = matrix.T @ matrix
    sums = matrix.T @ (matrix * losses[:, None].astype(np.float32))
    scores = slice_scores(sizes, losses, sums)
    own = np.diag(sizes)
    # A pair that leaves a parent as it is says nothing new.
    new = (sizes >= fewest) & (sizes < 0.98 * np.minimum(own[:, None], own[None, :]))
    scores = np.where(new & np.triu(np.ones_like(new), 1), scores, -np.inf)
    best = _top(scores.ravel(), CANDIDATES)
    rows, columns = np.unravel_index(best, scores.shape)
    found = [(int(i), int(j), float(scores[i, j])) for i, j in zip(rows, columns, strict=True)]
    return found, int(new.sum()) // 2


def _triples(
    matrix: np.ndarray, losses: Floats, pairs: list[tuple[int, int, float]], fewest: int
) -> tuple[list[tuple[tuple[int, int, int], float]], int]:
    first = np.array([each[0] for each in pairs])
    second = np.array([each[1] for each in pairs])
    both = matrix[:, first] * matrix[:, second]
    sizes = both.T @ matrix
    sums = (both * losses[:, None].astype(np.float32)).T @ matrix
    own = both.sum(axis=0)[:, None]
    new = (sizes >= fewest) & (sizes < 0.98 * own)
    scores = np.where(new, slice_scores(sizes, losses, sums), -np.inf)
    found: dict[tuple[int, int, int], float] = {}
    for flat in _top(scores.ravel(), CANDIDATES):
        pair, third = divmod(int(flat), matrix.shape[1])
        a, b, c = sorted((int(first[pair]), int(second[pair]), third))
        found.setdefault((a, b, c), float(scores[pair, third]))
    return list(found.items()), int(new.sum())


def _thinned(
    slices: list[Slice], found: Sequence[Atom], losses: Floats, most: int, score: float
) -> list[Slice]:
    left, residual = list(slices), losses.astype(np.float64)
    kept: list[Slice] = []
    if not left:
        return []
    masks = np.stack([conjunction(found, each.atoms) for each in left], axis=1).astype(np.float32)
    sizes = masks.sum(axis=0)
    penalty = np.array([SHORTER * (len(each.atoms) - 1) for each in left])
    spread = float(losses.std())
    while len(kept) < most:
        sums = masks.T @ residual.astype(np.float32)
        scores = slice_scores(sizes, residual, sums) * (float(residual.std()) / spread) - penalty
        best = int(np.argmax(scores))
        if not scores[best] >= score:
            break
        kept.append(Slice(left[best].atoms, float(scores[best])))
        inside = masks[:, best] > 0
        residual[inside] -= max(0.0, residual[inside].mean() - residual[~inside].mean())
    return kept
