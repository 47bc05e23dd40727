"""Planting: known faults put into the user's own rows, to see which would be found at this n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from assay.diagnose import diagnose_case
from assay.diagnose.atoms import Atom, atoms
from assay.diagnose.case import Case
from assay.diagnose.detectors.label_errors import LabelErrorDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.planting_columns import (
    annotator_found,
    confidence_found,
    dates_found,
    drift_found,
    leak_found,
)
from assay.diagnose.planting_rows import ambiguous_found, copies_found, negation_found
from assay.diagnose.planting_slices import (
    class_slice_found,
    found_slice,
    planted_slice,
    with_failing,
)
from assay.diagnose.spec import Diagnosis
from assay.evidence import Evidence
from assay.evidence.proportions import share_interval
from assay.seeds import derive_seed
from assay.tables.predicate import Mask

REPEATS = 10
STRENGTHS = (0.1, 0.3, 0.6)
FLIPPED = (0.01, 0.05, 0.1)
MOVED = (0.25, 1.0)
LEAKED = (0.9, 1.0)
DATED = (0.1, 0.3)
FAVOURED = (0.2, 0.5)
RAISED = (1.5, 3.0)
TOSSED = (0.05, 0.2)
COPIED = (0.05, 0.2)
MISREAD = (0.1, 0.3)
NOTHING = "any slice where there is none"
MOST_ROWS = 20_000

Step = Callable[[str, int, int], None]
Kind = tuple[str, tuple[float, ...], Callable[..., bool | None]]
"""What a fault is called, its strengths, and what plants one and says whether it is found."""
Plan = tuple[str, float, Callable[[], bool | None]]


@dataclass(frozen=True)
class Planted:
    """How often one kind of fault was found.

    Attributes
    ----------
    found
        The share of tries in which it was, with Wilson's interval.
    """

    fault: str
    strength: float
    found: Evidence


@dataclass(frozen=True)
class SelfCheck:
    """How far to trust a diagnosis of so many rows like these.

    Attributes
    ----------
    false_alarms
        The share of tries with any slice reported after the losses were shuffled over the rows,
        so that there was none to find; None where it was stopped before.
    stopped
        Whether it was interrupted, so that what comes later was not planted.
    """

    n: int
    faults: tuple[Planted, ...]
    false_alarms: Evidence | None
    stopped: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain JSON values."""
        faults = [
            {"fault": each.fault, "strength": each.strength, "found": each.found.as_dict()}
            for each in self.faults
        ]
        alarms = None if self.false_alarms is None else self.false_alarms.as_dict()
        return {"n": self.n, "faults": faults, "false_alarms": alarms, "stopped": self.stopped}


def self_check(
    case: Case, *, repeats: int = REPEATS, seed: int = 0, step: Step | None = None
) -> SelfCheck:
    """Plant faults of several kinds and strengths in a case, and count what is found.

    The losses are shuffled over the rows first, so that no fault of the model's own is left.
    A slice counts as found where a finding shares at least half of their joint rows (Jaccard).
    Flipped labels count as found where AS201 is confirmed; the probabilities are those of a
    model that learned from the labels as they were, which makes them easier to find than flips
    that were learned from.

    Parameters
    ----------
    repeats
        Tries for each fault and strength.
    """
    random = np.random.default_rng(derive_seed(seed, "diagnose", "plant"))
    if case.n > MOST_ROWS:
        case = case.take(np.sort(random.choice(case.n, MOST_ROWS, replace=False)))
    plans: list[Plan] = []
    pool = list(atoms(case, fewest=max(8, case.n // 50)))
    for conditions, words in ((1, "condition"), (2, "conditions"), (3, "conditions")):
        for strength in STRENGTHS:
            attempt = partial(_slice_found, case, pool, conditions, strength, random)
            plans.append((f"slice of {conditions} {words}", strength, attempt))
    if case.task.kind != "regression":
        for strength in STRENGTHS:
            attempt = partial(class_slice_found, case, pool, strength, random)
            plans.append(("slice of one class", strength, attempt))
    if case.probabilities is not None and case.task.kind != "regression":
        for share in FLIPPED:
            plans.append(("flipped labels", share, partial(_flips_found, case, share, random)))
    plans += _of_columns(case, random) + _of_rows(case, random)
    plans.append((NOTHING, 0.0, lambda: bool(_slices(_shuffled(case, random)).findings)))
    found, stopped = _tried(plans, repeats, step)
    alarms = None if stopped else found.pop().found
    return SelfCheck(case.n, tuple(found), alarms, stopped)


def _tried(plans: Sequence[Plan], repeats: int, step: Step | None) -> tuple[list[Planted], bool]:
    """Return how often each fault was found, and whether that was interrupted."""
    found: list[Planted] = []
    try:
        for number, (fault, strength, trying) in enumerate(plans):
            if step is not None:
                step(fault, number, len(plans))
            hits = [hit for _ in range(repeats) if (hit := trying()) is not None]
            if hits:
                found.append(Planted(fault, strength, _share(f"found: {fault}", hits)))
    except KeyboardInterrupt:
        return found, True
    return found, False


def _of_columns(case: Case, random: np.random.Generator) -> list[Plan]:
    kinds: list[Kind] = [("column moved, in deviations", MOVED, drift_found)]
    if case.task.kind != "regression":
        kinds.append(("column that repeats the target", LEAKED, leak_found))
        kinds.append(("dates that a class goes with", DATED, dates_found))
        kinds.append(("someone who favours a class", FAVOURED, annotator_found))
        if case.probabilities is not None:
            kinds.append(("probabilities raised to a power", RAISED, confidence_found))
    return _planned(kinds, case, random)


def _of_rows(case: Case, random: np.random.Generator) -> list[Plan]:
    if case.task.kind == "regression":
        return []
    kinds: list[Kind] = [
        ("rows that a coin decides, a share of all", TOSSED, ambiguous_found),
        ("copies that contradict, a share of all", COPIED, copies_found),
    ]
    if case.task.text is not None:
        kinds.append(("negations misread, a share of them", MISREAD, negation_found))
    return _planned(kinds, case, random)


def _planned(kinds: list[Kind], case: Case, random: np.random.Generator) -> list[Plan]:
    return [
        (fault, strength, partial(attempt, case, strength, random))
        for fault, strengths, attempt in kinds
        for strength in strengths
    ]


def _slice_found(
    case: Case, pool: list[Atom], conditions: int, strength: float, random: np.random.Generator
) -> bool | None:
    mask = planted_slice(case, pool, conditions, random)
    if mask is None:
        return None
    clean = _shuffled(case, random)
    return found_slice(_slices(with_failing(clean, mask, strength, random)), clean, mask)


def with_flips(case: Case, share: float, random: np.random.Generator) -> tuple[Case, Mask]:
    """Return the case with a share of its labels changed to another class, and which were."""
    names = np.asarray(case.task.class_names, dtype=object)
    flipped: Mask = random.random(case.n) < share
    truth = case.truth.copy()
    for place in np.flatnonzero(flipped):
        truth[place] = random.choice(names[names != truth[place]])
    losses = (truth != case.predictions).astype(np.float64)
    return replace(case, truth=truth, losses=losses), flipped


def _flips_found(case: Case, share: float, random: np.random.Generator) -> bool:
    changed, _ = with_flips(case, share, random)
    changed = replace(changed, seed=int(random.integers(2**31)))
    return bool(diagnose_case(changed, detectors=[LabelErrorDetector()]).findings)


def _slices(case: Case) -> Diagnosis:
    return diagnose_case(case, detectors=[SliceDetector()])


def _shuffled(case: Case, random: np.random.Generator) -> Case:
    losses = case.losses[random.permutation(case.n)]
    return replace(case, losses=losses, seed=int(random.integers(2**31)))


def _share(name: str, hits: list[bool]) -> Evidence:
    return Evidence(
        name=name,
        estimate=sum(hits) / len(hits),
        interval=share_interval(sum(hits), len(hits)),
        n=len(hits),
        method="planted in the user's own rows; Wilson's interval over the tries",
    )
