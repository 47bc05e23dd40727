"""What could be done about each finding, by what it may gain and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.diagnose.spec import Diagnosis, Finding, is_leak
from assay.diagnose.strategies.spec import RemedyKind, Strategy
from assay.ledger import Ledger
from assay.task import Task

FIXES = "fixes"
"""Event of the ledger that says what came of fixes that were tried."""


@dataclass(frozen=True)
class Costs:
    """What work takes; give your own where they are known.

    Attributes
    ----------
    trial
        Minutes of this machine to screen one edit of the recipe.
    row
        Minutes of a person to label a row or check its label.
    made
        Minutes of this machine to make and sift a row.
    look
        Minutes of a person for what is no row by row work.
    """

    trial: float = 1.0
    row: float = 0.25
    made: float = 0.02
    look: float = 30.0

    def of(self, kind: RemedyKind, finding: Finding, *, runs: bool) -> float:
        """Return the minutes that a remedy takes."""
        if runs:
            return self.trial
        if kind in ("collect", "relabel"):
            return self.row * max(1, finding.size)
        if kind == "synthesise":
            return self.made * max(1, finding.size)
        return self.look


def odds_by_kind(ledger: Ledger | None) -> Mapping[str, float]:
    """Return the share of tried fixes of each kind that were proven in this project so far.

    One success and one failure are added to each, so that a kind that was never tried has 1/2.
    """
    tried: Counter[str] = Counter()
    proven: Counter[str] = Counter()
    for entry in () if ledger is None else ledger.entries("event"):
        for each in entry.body.get(FIXES, ()):
            tried[each["kind"]] += 1
            proven[each["kind"]] += each["verdict"] == "proven"
    return {kind: (proven[kind] + 1) / (tried[kind] + 2) for kind in tried}


def strategies(
    diagnosis: Diagnosis,
    task: Task | None = None,
    *,
    odds: Mapping[str, float] | None = None,
    costs: Costs | None = None,
) -> tuple[Strategy, ...]:
    """Return what could be done, the highest expected gain for its cost first.

    The most that mending a finding can gain is its cost, in units of the loss; of wrong labels,
    their share counted with the mean loss. That is multiplied by how often such remedies were
    proven here. What has no such bound comes last; but leaks come first, as no figure of the
    diagnosis can be relied on before they are mended.

    Parameters
    ----------
    task
        Of a project, whose recipe can be edited; None where there is no recipe.
    odds
        By kind of remedy; 1/2 for those that are absent.
    """
    costs = costs or Costs()
    found = [
        each
        for place, finding in enumerate(diagnosis.findings)
        for each in _of(place, finding, diagnosis.mean_loss, task, odds or {}, costs)
    ]
    return tuple(sorted(found, key=_order))


def _order(each: Strategy) -> tuple[bool, bool, float]:
    return not is_leak(each.code), each.gain is None, -each.per_minute


def _of(
    place: int,
    finding: Finding,
    mean: float,
    task: Task | None,
    odds: Mapping[str, float],
    costs: Costs,
) -> Iterator[Strategy]:
    edits = dict.fromkeys(_runnable(finding, task))
    bound = _bound(finding, mean)
    for remedy in finding.remedies:
        runs = remedy.kind in edits
        chance = odds.get(remedy.kind, 0.5)
        gain = None if bound is None else chance * bound
        minutes = costs.of(remedy.kind, finding, runs=runs)
        words = remedy.words
        yield Strategy(place, finding.code, remedy.kind, words, gain, chance, minutes, runs)


def _runnable(finding: Finding, task: Task | None) -> Iterable[RemedyKind]:
    if task is None:
        return ()
    from assay.diagnose.strategies.edits import edits_of

    return [kind for kind, _ in edits_of(finding, task)]


def _bound(finding: Finding, mean: float) -> float | None:
    if finding.code == "AS201":
        return max(0.0, finding.effect.estimate) * mean
    return finding.cost if finding.cost > 0 else None
