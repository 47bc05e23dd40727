"""The harness: detectors look at one part, what they suspect is tested on the other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.guard import Guard
from assay.diagnose.likeness import known, shadows
from assay.diagnose.shares import adjusted_by_family
from assay.diagnose.spec import (
    ROWS_KEPT,
    Detector,
    Diagnosis,
    Finding,
    Looked,
    Search,
    Severity,
    Suspicion,
    is_leak,
)
from assay.errors import MissingExtraError
from assay.evidence import Evidence
from assay.tables.predicate import Mask

FDR = 0.05
MIN_SHARE = 0.1
"""Default minimum effect, as a share of the mean loss."""

Step = Callable[[str, int, int], None]
"""Told what is being looked for, how many detectors are done, and of how many."""


@dataclass(frozen=True, eq=False)
class _Tested:
    detector: str
    suspicion: Suspicion
    fact: Evidence

    @property
    def family(self) -> tuple[str, str]:
        """What shares one part of the level: a detector's suspicions of one kind."""
        return self.detector, self.suspicion.family


@dataclass(frozen=True, eq=False)
class Found:
    """A finding with the halves it was found by: what looks at it closer keeps to them.

    Attributes
    ----------
    part
        Where it was looked for.
    unseen
        Where it was confirmed.
    """

    finding: Finding
    suspicion: Suspicion
    part: Case
    unseen: Case


@dataclass(frozen=True, eq=False)
class Examination:
    """A diagnosis, and how each finding of it was come by, in the same order."""

    diagnosis: Diagnosis
    found: tuple[Found, ...]


@dataclass(eq=False)
class _Way:
    """One way through the halves: searched here, confirmed there."""

    part: Case
    unseen: Case
    detectors: Sequence[Detector]
    guard: Guard
    searches: list[tuple[str, Search]] = field(default_factory=list)

    def search(self, detector: Detector) -> None:
        """Have a detector look at the part."""
        found = self.guard.of(detector.name, lambda: _search(detector, self.part))
        self.searches.append((detector.name, found or Search(0, detector.name)))

    def tested(self) -> list[_Tested]:
        """Return what was suspected and could be tested, with the test."""
        return [
            _Tested(name, each, fact)
            for name, search in self.searches
            for each in search.suspicions
            if (fact := self.guard.of(name, partial(each.confirm, self.unseen))) is not None
            and fact.p_value is not None
        ]


def examine(case: Case, detectors: Sequence[Detector], **options: Any) -> Diagnosis:
    """Return the diagnosis alone, and whole; the parameters are those of :func:`examined`."""
    return examined(case, detectors, **options).diagnosis.whole()


def examined(
    case: Case,
    detectors: Sequence[Detector],
    *,
    loss: str,
    fdr: float = FDR,
    min_effect: float | None = None,
    whole: float | None = None,
    sampling: str = "",
    step: Step | None = None,
    keep_going: bool = False,
) -> Examination:
    """Return what the detectors found and the confirmation part bore out.

    A suspicion is confirmed when its p-value, adjusted over every test of the diagnosis
    (Benjamini and Hochberg 1995, by family, :mod:`assay.diagnose.shares`), is at most ``fdr`` and
    its effect at least ``min_effect``.
    Detectors that go ``both_ways`` search the confirmation part too, and are confirmed on the
    discovery part; each way then has half of ``fdr``, so that both together keep it, and what
    both find is told once.
    Ctrl-C ends the looking, not the diagnosis: what was suspected until then is tested.

    Parameters
    ----------
    loss
        What a row's loss is, in words.
    min_effect
        Smallest excess of loss worth telling; by default a tenth of the mean loss.
    whole
        What costs are shares of; by default the mean loss.
    keep_going
        Whether a detector that fails is put on record and the others go on; else its error is
        raised.
    """
    first, second = case.halves
    mean = float(np.average(case.losses, weights=case.weights))
    least = MIN_SHARE * mean if min_effect is None else min_effect
    guard = Guard(keep_going)
    ways = [_Way(first, second, detectors, guard)]
    back = [each for each in detectors if getattr(each, "both_ways", False)]
    if back:
        ways.append(_Way(second, first, back, guard))
    stopped = _looked_for(ways, step)
    told: list[tuple[_Tested, Mask | None, Found]] = []
    for way in ways:
        tested = way.tested()
        families = [each.family for each in tested]
        shares = adjusted([each.fact for each in tested], len(ways), families)
        for each, p in zip(tested, shares, strict=True):
            if p > fdr or (each.fact.estimate < least and each.suspicion.judged):
                continue
            mask = None
            if each.suspicion.select is not None:
                mask = guard.of(each.detector, partial(each.suspicion.select, case))
                if mask is None:  # what picks no rows cannot be told as about some
                    continue
            others = [other for one, other, _ in told if one.suspicion.code == each.suspicion.code]
            if not known(mask, others if way is not ways[0] or each.suspicion.family else ()):
                finding = _finding(
                    case, way.unseen, each, p, mean if whole is None else whole, mask
                )
                found = Found(finding, each.suspicion, way.part, way.unseen)
                told.append((each, mask, found))
    every = _without_shadows(case, told)
    every.sort(key=lambda each: (-each.finding.cost, each.finding.p_adjusted))
    findings = tuple(each.finding for each in every)
    diagnosis = Diagnosis(
        findings=findings,
        n=case.n,
        discovery=first.n,
        confirmation=second.n,
        loss=loss,
        mean_loss=mean,
        fdr=fdr,
        min_effect=least,
        looked=_told(ways, findings, guard),
        sampling=sampling,
        stopped=stopped,
    )
    return Examination(diagnosis, tuple(every))


def _looked_for(ways: Sequence[_Way], step: Step | None) -> bool:
    """Run every detector on its part; return whether that was interrupted."""
    runs = [(way, each) for way in ways for each in way.detectors]
    try:
        for number, (way, detector) in enumerate(runs):
            if step is not None:
                step(detector.name, number, len(runs))
            way.search(detector)
    except KeyboardInterrupt:
        return True
    return False


def _without_shadows(case: Case, told: Sequence[tuple[_Tested, Mask | None, Found]]) -> list[Found]:
    """Return what was found, without wider slices of several families that a narrower one tells."""
    slices = {
        at: mask for at, (each, mask, _) in enumerate(told)
        if mask is not None and each.suspicion.family
    }  # fmt: skip
    places = list(slices)
    added = np.maximum(case.losses, 0.0)  # of changes; losses are as they are
    hidden = {places[at] for at in shadows(added, list(slices.values()), case.weights)}
    return [found for at, (_, _, found) in enumerate(told) if at not in hidden]


def adjusted(
    facts: Sequence[Evidence], ways: int, families: Sequence[Hashable] | None = None
) -> list[float]:
    """Return the p-values of one way's tests, adjusted for all of them and for the other way.

    ``families`` weigh the same, see :mod:`assay.diagnose.shares`; all are one where none is given.
    """
    p_values = [each.p_value or 0.0 for each in facts]
    found = adjusted_by_family(p_values, [0] * len(facts) if families is None else families)
    return [min(1.0, ways * each) for each in found]


def _search(detector: Detector, part: Case) -> Search:
    try:
        return detector.detect(part)
    except MissingExtraError as error:
        return Search(0, detector.name, skipped=str(error))


def _told(ways: Sequence[_Way], findings: Sequence[Finding], guard: Guard) -> tuple[Looked, ...]:
    """Return what each detector did, both ways together."""
    searches: dict[str, list[Search]] = {}
    for way in ways:
        for name, search in way.searches:
            searches.setdefault(name, []).append(search)
    return tuple(
        Looked(
            detector=name,
            what=every[0].what,
            looked_at=sum(each.looked_at for each in every),
            suspected=sum(len(each.suspicions) for each in every),
            confirmed=sum(each.detector == name for each in findings),
            skipped="; ".join(filter(None, (every[0].skipped, guard.failures.get(name)))),
        )
        for name, every in searches.items()
    )


def _finding(
    case: Case, unseen: Case, tested: _Tested, p: float, whole: float, mask: Mask | None
) -> Finding:
    suspicion = tested.suspicion
    cost, size = 0.0, case.n
    ids: tuple[str, ...] = ()
    if mask is not None:
        size = int(mask.sum())
        if suspicion.judged:
            cost = max(0.0, tested.fact.estimate) * _share(unseen, tested.fact)
        places = np.flatnonzero(mask)
        places = places[np.argsort(-case.losses[places], kind="stable")][:ROWS_KEPT]
        ids = tuple(case.rows["row_id"][places].to_list())
    share = min(1.0, cost / whole) if whole > 0 else float(cost > 0)
    return Finding(
        code=suspicion.code,
        title=suspicion.title,
        severity="high" if is_leak(suspicion.code) else _severity(share),
        detector=tested.detector,
        cause=suspicion.cause,
        effect=tested.fact,
        p_adjusted=p,
        cost=cost,
        share=share,
        size=size,
        row_ids=ids,
        predicate=suspicion.predicate,
        remedies=suspicion.remedies,
        about=suspicion.about or (suspicion.title,),
        rule=suspicion.rule,
    )


def _share(part: Case, fact: Evidence) -> float:
    """Return how much of a part the rows count that a fact is about."""
    if part.weights is None or "weight" not in fact.details:
        return fact.n / part.n
    return float(fact.details["weight"] / part.weights.sum())


def _severity(share: float) -> Severity:
    return "high" if share >= 0.2 else "medium" if share >= 0.05 else "low"
