"""The harness: detectors look at one part, what they suspect is tested on the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.spec import (
    ROWS_KEPT,
    Detector,
    Diagnosis,
    Finding,
    Looked,
    Search,
    Severity,
    Suspicion,
)
from assay.errors import MissingExtraError
from assay.evidence import Evidence, benjamini_hochberg

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


def examine(
    case: Case,
    detectors: Sequence[Detector],
    *,
    loss: str,
    fdr: float = FDR,
    min_effect: float | None = None,
    sampling: str = "",
    step: Step | None = None,
) -> Diagnosis:
    """Return what the detectors found and the confirmation part bore out.

    A suspicion is confirmed when its p-value, adjusted over every test of the diagnosis
    (Benjamini and Hochberg 1995), is at most ``fdr`` and its effect at least ``min_effect``.
    Ctrl-C ends the looking, not the diagnosis: what was suspected until then is tested.

    Parameters
    ----------
    loss
        What a row's loss is, in words.
    min_effect
        Smallest excess of loss worth telling; by default a tenth of the mean loss.
    """
    discovery, confirmation = case.halves
    mean = float(np.average(case.losses, weights=case.weights))
    least = MIN_SHARE * mean if min_effect is None else min_effect
    searches: list[tuple[str, Search]] = []
    stopped = False
    try:
        for number, detector in enumerate(detectors):
            if step is not None:
                step(detector.name, number, len(detectors))
            searches.append((detector.name, _search(detector, discovery)))
    except KeyboardInterrupt:
        stopped = True
    tested = [
        _Tested(name, each, fact)
        for name, search in searches
        for each in search.suspicions
        if (fact := each.confirm(confirmation)) is not None and fact.p_value is not None
    ]
    adjusted = _adjusted(tested)
    findings = [
        _finding(case, confirmation, each, p, mean)
        for each, p in zip(tested, adjusted, strict=True)
        if p <= fdr and (each.fact.estimate >= least or not each.suspicion.judged)
    ]
    findings.sort(key=lambda each: (-each.cost, each.p_adjusted))
    return Diagnosis(
        findings=tuple(findings),
        n=case.n,
        discovery=discovery.n,
        confirmation=confirmation.n,
        loss=loss,
        mean_loss=mean,
        fdr=fdr,
        min_effect=least,
        looked=tuple(_looked(name, search, findings) for name, search in searches),
        sampling=sampling,
        stopped=stopped,
    )


def _adjusted(tested: Sequence[_Tested]) -> Sequence[float]:
    if not tested:
        return ()
    found: list[float] = benjamini_hochberg([each.fact.p_value for each in tested]).tolist()
    return found


def _search(detector: Detector, part: Case) -> Search:
    try:
        return detector.detect(part)
    except MissingExtraError as error:
        return Search(0, detector.name, skipped=str(error))


def _looked(name: str, search: Search, findings: Sequence[Finding]) -> Looked:
    return Looked(
        detector=name,
        what=search.what,
        looked_at=search.looked_at,
        suspected=len(search.suspicions),
        confirmed=sum(each.detector == name for each in findings),
        skipped=search.skipped,
    )


def _finding(case: Case, part: Case, tested: _Tested, p: float, mean: float) -> Finding:
    suspicion = tested.suspicion
    cost, size = 0.0, case.n
    ids: tuple[str, ...] = ()
    if suspicion.select is not None:
        mask = suspicion.select(case)
        size = int(mask.sum())
        if suspicion.judged:
            cost = max(0.0, tested.fact.estimate) * tested.fact.n / part.n
        places = np.flatnonzero(mask)
        places = places[np.argsort(-case.losses[places], kind="stable")][:ROWS_KEPT]
        ids = tuple(case.rows["row_id"][places].to_list())
    share = cost / mean if mean > 0 else 0.0
    return Finding(
        code=suspicion.code,
        title=suspicion.title,
        severity=_severity(share),
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
    )


def _severity(share: float) -> Severity:
    return "high" if share >= 0.2 else "medium" if share >= 0.05 else "low"
