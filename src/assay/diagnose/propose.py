"""Confirmed findings as proposals of ``assay improve``: a slice becomes a feature."""

from __future__ import annotations

from collections.abc import Iterator
from operator import methodcaller

from assay.diagnose.record import newest
from assay.diagnose.spec import Finding
from assay.recipe import Derived, Observation, Proposal
from assay.tables.predicate import Predicate

MOST = 3
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
        else:
            same = cell.cast(pl.String) == value
            holds = same if operator == "=" else ~same
        inside = inside & holds.fill_null(False)
    return rows.select(inside.cast(pl.Float64).alias("in the slice"))
'''


class FindingSource:
    """Tells the model of the slices that the newest diagnosis confirmed, the dearest first.

    A slice was found by its errors on these very search rows, so the screen may flatter it a
    little; the vault, which no diagnosis reads, does not.
    """

    name = "findings"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield an edit for each slice over columns; nothing without a diagnosis."""
        diagnosis = newest(observation.ledger)
        if diagnosis is None:
            return
        allowed = set(observation.task.features)
        slices = [each for each in diagnosis.findings if _usable(each, allowed)]
        for finding in slices[:MOST]:
            if finding.predicate is not None:
                feature = slice_feature(finding.predicate)
                yield Proposal(
                    feature.name,
                    f"{finding.code}: the model does worse on {finding.size:,} rows of this kind",
                    "rule:findings",
                    methodcaller("with_feature", feature),
                )


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
