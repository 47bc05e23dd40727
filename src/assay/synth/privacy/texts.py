"""Whether a made text tells which real texts its maker had seen: membership inference.

An attacker who holds a text asks whether it was among those that others were made from, and takes
nearness to a made text for a sign of it (Shokri et al. 2017). Texts of the same kind that the
maker never saw are the control. What counts is how many are recognised with hardly a false alarm
(Carlini et al. 2022), beside the area under the curve: a few people given away are a leak, though
the mean looks harmless.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from assay.evidence import Evidence, estimate
from assay.synth.privacy.distances import Distances, Floats
from assay.synth.privacy.shares import risk
from assay.task import Task

MEMBERSHIP = "membership"
"""What the name of each of these attacks begins with."""

FALSE_ALARMS = 0.01
WORDS = 4
"""A run of so many words is seldom shared by chance."""


def membership(
    made: pl.DataFrame, seen: pl.DataFrame, control: pl.DataFrame, task: Task, seed: int
) -> tuple[Evidence, ...]:
    """Return two attacks on texts: by nearness to a made text, and by runs of its words.

    Each is the share of seen texts that are recognised at 1 % false alarms, beyond the share of
    the control; ``details`` holds the area under the curve with its interval, where .5 is no more
    than guessing.

    Parameters
    ----------
    control
        Texts of the same classes that the maker never saw.
    """
    column = str(task.text)
    texts, known, new = (each[column].fill_null("").to_list() for each in (made, seen, control))
    # Scales are learned from the made texts: words of the seen ones alone would tell them apart.
    near = Distances(made, task, (column,))
    scores = {
        "nearness": tuple(1 - near.to_nearest(each, made)[0] for each in (seen, control)),
        f"runs of {WORDS} words": tuple(_shared(each, texts) for each in (known, new)),
    }
    return tuple(_attack(f"{MEMBERSHIP} by {by}", *both, seed=seed) for by, both in scores.items())


def _attack(name: str, seen: Floats, control: Floats, *, seed: int) -> Evidence:
    """Return how many seen texts score above all but 1 % of the control.

    One half of the control sets the bar, the other is judged by it. The bar is the k-th highest of
    n scores, which a further text of the control exceeds with a chance of at most k / (n + 1).
    """
    order = np.random.default_rng(seed).permutation(len(control))
    setting, judged = (control[each] for each in np.array_split(order, 2))
    allowed = max(1, int(FALSE_ALARMS * (len(setting) + 1)))
    bar = np.sort(setting)[-allowed]
    found = risk(
        name,
        int((seen > bar).sum()),
        int((judged > bar).sum()),
        len(seen),
        len(judged),
        f"above all but {allowed} of {len(setting)} control texts",
    )
    area = _area(seen, control, seed)
    found.details.update(
        false_alarms=allowed / (len(setting) + 1),
        area=area.estimate,
        area_interval=[area.interval.low, area.interval.high],
    )
    return found


def _area(seen: Floats, control: Floats, seed: int) -> Evidence:
    truth = np.repeat(["seen", "unseen"], [len(seen), len(control)])
    scores = np.clip(np.concatenate([seen, control]), 0.0, 1.0)
    shares = np.column_stack([1 - scores, scores])
    return estimate(truth, shares, metric="auc", classes=("unseen", "seen"), seed=seed)


def _shared(texts: Sequence[str], made: Sequence[str]) -> Floats:
    """Return for each text the largest share of its runs of words that one made text holds."""
    holders: dict[int, list[int]] = {}
    for at, text in enumerate(made):
        for run in _runs(text):
            holders.setdefault(run, []).append(at)
    found = np.zeros(len(texts))
    for at, text in enumerate(texts):
        runs = _runs(text)
        held = [each for run in runs for each in holders.get(run, ())]
        if held:
            found[at] = np.bincount(held).max() / len(runs)
    return found


def _runs(text: str) -> set[int]:
    words = text.casefold().split()
    return {hash(tuple(words[at : at + WORDS])) for at in range(len(words) - WORDS + 1)}
