"""Confirmed findings as proposals of ``assay improve``: what an edit of the recipe can mend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.diagnose.record import newest
from assay.diagnose.spec import Diagnosis, Finding
from assay.diagnose.strategies.edits import edits_of
from assay.diagnose.strategies.ranking import odds_by_kind, strategies
from assay.diagnose.strategies.spec import RemedyKind
from assay.recipe import Observation, Proposal
from assay.synth.constraints import Constraint, read_stated
from assay.task import Task

MOST = 3
"""Findings of one code that are acted on, the dearest first."""


@dataclass(frozen=True)
class Remedied:
    """An edit of the recipe, the finding that it is for, and which kind of remedy it is."""

    finding: Finding
    proposal: Proposal
    kind: RemedyKind = "check"


class FindingSource:
    """Acts on what the newest diagnosis confirmed, what promises most for its cost first.

    A slice was found by its errors on these very search rows, so the screen may flatter it a
    little; the vault, which no diagnosis reads, does not.
    """

    name = "findings"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield the edits that findings suggest; nothing without a diagnosis."""
        diagnosis = newest(observation.ledger)
        if diagnosis is not None:
            odds = odds_by_kind(observation.ledger)
            stated = read_stated(observation.constraints)
            for each in remedied(diagnosis, observation.task, odds=odds, constraints=stated):
                yield each.proposal


def remedied(
    diagnosis: Diagnosis,
    task: Task,
    *,
    odds: Mapping[str, float] | None = None,
    constraints: Sequence[Constraint] | None = None,
) -> tuple[Remedied, ...]:
    """Return the edits of the recipe that the findings suggest, ranked as strategies are.

    Of findings of one code the three dearest are acted on; an edit that two findings suggest is
    given once.

    Parameters
    ----------
    constraints
        What made rows must hold; None where it is mined from the rows at hand.
    """
    ranked = strategies(diagnosis, task, odds=odds)
    order = {(each.finding, each.kind): number for number, each in enumerate(ranked)}
    seen: Counter[str] = Counter()
    found: dict[str, tuple[int, Remedied]] = {}
    for place, finding in enumerate(diagnosis.findings):
        edits = list(edits_of(finding, task, constraints)) if seen[finding.code] < MOST else []
        seen[finding.code] += bool(edits)
        for kind, proposal in edits:
            rank = order.get((place, kind), len(order))
            found.setdefault(proposal.name, (rank, Remedied(finding, proposal, kind)))
    return tuple(each for _, each in sorted(found.values(), key=lambda each: each[0]))
