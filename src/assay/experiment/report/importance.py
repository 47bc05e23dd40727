"""Which choices mattered: how much of the scores' spread each dimension explains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from assay.experiment.result import ExperimentResult, Standing

LEAST = 6
"""Among fewer tries of a family its dimensions say nothing."""

BINS = 4


def importances(result: ExperimentResult) -> list[tuple[str, float, int]]:
    """Return (dimension, share of the scores' variance between its values, tries).

    The family counts over all tries, another dimension within its family, in quarters of its
    values: the main effect alone, as in a functional ANOVA (Hutter et al. 2014). Tries that were
    given up early count with the score they had.
    """
    scored = [each for each in result.standings if each.score is not None]
    found = []
    if len(scored) >= LEAST:
        explained = _explained([each.family for each in scored], _scores(scored))
        found.append(("family", explained, len(scored)))
    families: dict[str, list[Standing]] = defaultdict(list)
    for each in scored:
        if each.values:
            families[each.family].append(each)
    for family, tries in families.items():
        if len(tries) < LEAST:
            continue
        for name in tries[0].values:
            groups = _grouped([each.values.get(name) for each in tries])
            found.append((f"{family}: {name}", _explained(groups, _scores(tries)), len(tries)))
    return sorted(found, key=lambda each: -each[1])


def _scores(standings: Sequence[Standing]) -> np.ndarray:
    return np.array([each.score for each in standings], dtype=float)


def _grouped(values: list[object]) -> list[object]:
    numbers = [each for each in values if isinstance(each, int | float)]
    if len(numbers) < len(values) or len(set(numbers)) <= BINS:
        return values
    ranks = np.argsort(np.argsort(numbers))
    return list(ranks * BINS // len(values))


def _explained(groups: list[object] | list[str], scores: np.ndarray) -> float:
    """Return the share of the variance between groups, less what chance alone would give."""
    total = float(((scores - scores.mean()) ** 2).sum())
    names = list(dict.fromkeys(groups))
    free = len(scores) - len(names)
    if total == 0 or len(names) < 2 or free < 1:
        return 0.0
    within = 0.0
    for name in names:
        part = scores[[each == name for each in groups]]
        within += float(((part - part.mean()) ** 2).sum())
    noise = within / free
    between = total - within - (len(names) - 1) * noise
    return float(max(0.0, between / (total + noise)))  # omega squared
