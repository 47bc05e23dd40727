"""Confirmed findings as proposals of ``assay improve``: what an edit of the recipe can mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from operator import methodcaller

from assay.diagnose.record import newest
from assay.diagnose.spec import Diagnosis, Finding
from assay.experiment.propose import threshold_aim
from assay.recipe import Derived, Observation, Proposal
from assay.tables.predicate import Predicate
from assay.task import Task

MOST = 3
FACTOR = 3.0
"""How much more a failing slice's training rows weigh."""
THRESHOLD = "AS303"
ORIGIN = "rule:findings"
CODE = '''\
def feature(rows, seen):
    """Whether a row lies in a slice on which the model was found to do worse."""
    import polars as pl

    conditions = {conditions}
    inside = pl.lit(True)
    for column, operator, value in conditions:
        cell = pl.col(column)
        if operator == "is empty":
            holds = cell.is_null()
        elif operator == "is not empty":
            holds = cell.is_not_null()
        elif operator in ("<=", ">"):
            number = cell.cast(pl.Float64)
            holds = number <= value if operator == "<=" else number > value
        elif operator == "contains":
            word = pl.escape_regex(value.strip())
            holds = cell.cast(pl.String).str.contains(rf"(?i)(?:^|\\W){{word}}(?:\\W|$)")
        else:
            same = cell.cast(pl.String) == value
            holds = same if operator == "=" else ~same
        inside = inside & holds.fill_null(False)
    return rows.select(inside.cast(pl.Float64).alias("in the slice"))
'''


@dataclass(frozen=True)
class Remedied:
    """An edit of the recipe, and the finding that it is for."""

    finding: Finding
    proposal: Proposal


class FindingSource:
    """Acts on what the newest diagnosis confirmed, the dearest first.

    A slice was found by its errors on these very search rows, so the screen may flatter it a
    little; the vault, which no diagnosis reads, does not.
    """

    name = "findings"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield the edits that findings suggest; nothing without a diagnosis."""
        diagnosis = newest(observation.ledger)
        if diagnosis is not None:
            for each in remedied(diagnosis, observation.task):
                yield each.proposal


def remedied(diagnosis: Diagnosis, task: Task) -> tuple[Remedied, ...]:
    """Return the edits of the recipe that the findings suggest.

    Each of the three dearest slices over the recipe's columns is told to the model as a feature,
    and its training rows are weighed up; a threshold that costs too much is chosen anew.
    """
    allowed = set(task.features)
    slices = [each for each in diagnosis.findings if _usable(each, allowed)]
    found = [each for finding in slices[:MOST] for each in _of_slice(finding)]
    if aim := threshold_aim(task):
        off = [each for each in diagnosis.findings if each.code == THRESHOLD]
        found += [Remedied(each, _threshold(each, aim)) for each in off]
    return tuple(found)


def _of_slice(finding: Finding) -> Iterator[Remedied]:
    predicate = finding.predicate
    if predicate is None:
        return
    why = f"{finding.code}: the model does worse on {finding.size:,} rows of this kind"
    feature = slice_feature(predicate)
    yield Remedied(
        finding,
        Proposal(feature.name, why, ORIGIN, methodcaller("with_feature", feature)),
    )
    yield Remedied(
        finding,
        Proposal(
            f"weighed {FACTOR:g} times: {predicate.words}",
            why,
            ORIGIN,
            methodcaller("with_weight", predicate, FACTOR),
        ),
    )


def _threshold(finding: Finding, aim: str) -> Proposal:
    why = f"{finding.code}: {finding.title}"
    return Proposal("threshold chosen anew", why, ORIGIN, methodcaller("with_threshold", aim))


def slice_feature(predicate: Predicate) -> Derived:
    """Return the feature that is 1 on the predicate's rows and 0 on the others."""
    conditions = [(each.column, each.operator, each.plain) for each in predicate.conditions]
    return Derived(
        name=f"slice: {predicate.words}",
        columns=tuple(dict.fromkeys(each.column for each in predicate.conditions)),
        code=CODE.format(conditions=repr(conditions)),
    )


def _usable(finding: Finding, allowed: set[str]) -> bool:
    """Return whether the finding is a slice over the recipe's own columns, not over traits."""
    conditions = () if finding.predicate is None else finding.predicate.conditions
    return bool(conditions) and all(
        each.trait is None and each.column in allowed for each in conditions
    )
