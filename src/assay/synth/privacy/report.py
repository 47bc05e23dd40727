"""What a table of made rows gives away, in one report with limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.evidence import Evidence
from assay.seeds import derive_seed
from assay.synth.privacy.attacks import inference, linkability, singling_out
from assay.synth.privacy.memory import close_rows, exact_copies, long_runs, nearer_to_seen
from assay.synth.privacy.texts import MEMBERSHIP, membership
from assay.task import Task

FEWEST = 20
"""Fewer control rows than this say nothing about an attack."""

MOST_SECRETS = 8


@dataclass(frozen=True)
class PrivacyLimits:
    """Beyond which a table is not released.

    Attributes
    ----------
    copies
        Share of exact copies.
    runs
        Share of texts with a long run of a real text.
    close
        Share of rows closer to a real row than real rows are to each other. A twentieth of the
        real rows are, so this is what a faithful generator makes too.
    risk
        Success of an attack beyond its control; judged by the lower end of the interval, so that
        few rows do not block a release by noise.
    membership
        Share of the real texts seen that are recognised, beyond the control; judged likewise.
    k
        Fewest made rows that share their quasi-identifiers; 1 asks for nothing.
    """

    copies: float = 0.0
    runs: float = 0.0
    close: float = 0.15
    risk: float = 0.1
    membership: float = 0.1
    k: int = 1


@dataclass(frozen=True)
class PrivacyReport:
    """Every measure, each with its interval.

    Attributes
    ----------
    memory
        Exact copies, close rows, long runs; nearness to seen rows where there are control rows.
    attacks
        Singling out, linkability, inference of each secret; membership of texts. Empty without
        control rows.
    k
        Fewest made rows that share their quasi-identifiers; None where none were named.
    notes
        What could not be measured, and why.
    """

    memory: tuple[Evidence, ...]
    attacks: tuple[Evidence, ...]
    k: int | None
    notes: tuple[str, ...]

    def exceeded(self, limits: PrivacyLimits) -> tuple[str, ...]:
        """Return in words which limits are exceeded; nothing where the table may be released."""
        found = []
        for each in self.memory:
            if each.name.startswith("exact") and each.estimate > limits.copies:
                found.append(_beyond(each, limits.copies))
            if each.name.startswith("long") and each.estimate > limits.runs:
                found.append(_beyond(each, limits.runs))
            if each.name.startswith("closer") and each.interval.low > limits.close:
                found.append(_beyond(each, limits.close))
        for each in self.attacks:
            limit = limits.membership if each.name.startswith(MEMBERSHIP) else limits.risk
            if each.interval.low > limit:
                found.append(_beyond(each, limit))
        if self.k is not None and self.k < limits.k:
            found.append(f"k-anonymity is {self.k}, below {limits.k}")
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "memory": [each.as_dict() for each in self.memory],
            "attacks": [each.as_dict() for each in self.attacks],
            "k": self.k,
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PrivacyReport:
        """Return the report that :meth:`as_dict` described."""
        memory, attacks = (
            tuple(Evidence.from_dict(each) for each in values[name])
            for name in ("memory", "attacks")
        )
        return cls(memory, attacks, values["k"], tuple(values["notes"]))


def measure_privacy(
    made: pl.DataFrame,
    seen: pl.DataFrame,
    task: Task,
    *,
    control: pl.DataFrame | None = None,
    secrets: Sequence[str] | None = None,
    quasi_identifiers: Sequence[str] = (),
    seed: int = 0,
) -> PrivacyReport:
    """Measure what made rows give away of the real rows that the generator saw.

    Parameters
    ----------
    made, seen
        The made rows, and the real rows they were made from.
    control
        Real rows that the generator never saw; the attacks need at least 20.
    secrets
        Columns that an attacker would guess; by default the first eight inputs of a table.
    quasi_identifiers
        Columns by which a person could be known.

    Raises
    ------
    InputError
        When a named column is not an input, or there is no made row.
    """
    _check(made, task, [*(secrets or ()), *quasi_identifiers])
    notes: list[str] = []
    memory = [exact_copies(made, seen, task), close_rows(made, seen, task)]
    runs = long_runs(made, seen, task)
    if runs is not None:
        memory.append(runs)
    attacks: list[Evidence] = []
    if control is None or min(control.height, seen.height) < FEWEST:
        notes.append(
            f"not attacked: attacks need {FEWEST} real rows that the generator did not see"
        )
    else:
        memory.append(nearer_to_seen(made, seen, control, task, derive_seed(seed, "nearer")))
        if task.text is None:
            attacks = _attacks(made, seen, control, task, secrets, seed, notes)
        else:
            attacks = list(membership(made, seen, control, task, derive_seed(seed, MEMBERSHIP)))
    k = k_anonymity(made, quasi_identifiers) if quasi_identifiers else None
    return PrivacyReport(tuple(memory), tuple(attacks), k, tuple(notes))


def k_anonymity(rows: pl.DataFrame, quasi_identifiers: Sequence[str]) -> int:
    """Return how many rows share the rarest combination of the columns (Sweeney 2002)."""
    sizes = rows.group_by(list(quasi_identifiers)).len()["len"]
    return int(sizes.min() or 0)  # type: ignore[arg-type]


def _attacks(
    made: pl.DataFrame,
    seen: pl.DataFrame,
    control: pl.DataFrame,
    task: Task,
    secrets: Sequence[str] | None,
    seed: int,
    notes: list[str],
) -> list[Evidence]:
    asked = list(task.inputs[:MOST_SECRETS] if secrets is None else secrets)
    if secrets is None and len(task.inputs) > MOST_SECRETS:
        notes.append(f"inference was tried on the first {MOST_SECRETS} columns alone")
    tables = (made, seen, control, task)
    found = [
        singling_out(*tables, derive_seed(seed, "singling out")),
        linkability(*tables, derive_seed(seed, "linkability")),
        *inference(*tables, asked, derive_seed(seed, "inference")),
    ]
    return [each for each in found if each is not None]


def _beyond(fact: Evidence, limit: float) -> str:
    return f"{fact.name}: {fact.estimate:.1%} {fact.interval}, above {limit:.1%}"


def _check(made: pl.DataFrame, task: Task, named: Sequence[str]) -> None:
    if made.is_empty():
        raise InputError("There is no made row to measure.", next_step="make some")
    unknown = [name for name in named if name not in task.inputs]
    if unknown:
        raise InputError(
            "A column is none of the inputs.", given=unknown[0], allowed=", ".join(task.inputs)
        )
