"""Constraints that contradict each other, told by the few that do."""

from __future__ import annotations

from collections.abc import Sequence

from assay.errors import InputError
from assay.synth.constraints.domains import is_possible
from assay.synth.constraints.spec import Constraint


def require_consistent(constraints: Sequence[Constraint]) -> None:
    """Raise an InputError that names the constraints that no row can keep together.

    What is seen, and what is not, is told by :func:`assay.synth.constraints.domains.is_possible`.

    Raises
    ------
    InputError
        Also for a single constraint that holds nowhere.
    """
    if is_possible(constraints):
        return
    entries = _fewest(list(enumerate(constraints, start=1)))
    told = "; ".join(f"{each} (entry {number})" for number, each in entries)
    if len(entries) == 1:
        raise InputError(
            f"A constraint allows no value: {told}.", next_step="mend it in constraints.toml"
        )
    raise InputError(
        f"Constraints contradict each other: {told}.",
        next_step="remove or mend one of them in constraints.toml",
    )


def _fewest(entries: list[tuple[int, Constraint]]) -> list[tuple[int, Constraint]]:
    """Return of entries that contradict each other so few that without any one they do not."""
    for each in list(entries):
        others = [other for other in entries if other is not each]
        if not is_possible([constraint for _, constraint in others]):
            entries = others
    return entries
