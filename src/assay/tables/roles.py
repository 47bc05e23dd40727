"""The role of each row: ``search``, ``pool``, or locked in the ``vault``."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.seeds import derive_seed
from assay.tables.units import Numbers, row_units
from assay.task import Task

Role = Literal["search", "pool", "vault"]

VAULT_SHARE = 0.25
VAULT_MINIMUM = 100
LABELLED_MINIMUM = 200
"""A vault of 100 rows, and as many to learn from."""

STRATA = 10
"""A regression target is stratified by this many quantiles."""

PLACE = "assay:place"


def assign_roles(table: pl.DataFrame, task: Task, *, seed: int) -> pl.Series:
    """Return the role of each row, in table order.

    Rows without a label are ``pool``. Of the labelled ones, 25 % and at least 100 are
    ``vault``: the latest where the task has a time column; else drawn from ``seed``, by class.
    Rows that share a group, or every input, are never parted. The order of the rows in the
    table changes nothing.

    Raises
    ------
    InputError
        When fewer than 200 rows are labelled, a labelled row has no group or time, or groups
        leave one side with fewer than 100 rows.
    """
    labelled = table.with_row_index(PLACE).filter(pl.col(task.target).is_not_null())
    size = vault_size(labelled.height)
    _require_filled(labelled, "group", task.group)
    _require_filled(labelled, "time", task.time)
    units = row_units(labelled, task)
    if task.time:
        times = labelled[task.time].rank("dense").cast(pl.Int64).to_numpy()
        chosen = _take(units[np.lexsort((units, -times))], size)
    else:
        random = np.random.default_rng(derive_seed(seed, "roles"))
        chosen = _stratified(units, _strata(labelled, task), size, random)
    locked = np.isin(units, list(chosen))
    _check_sides(int(locked.sum()), labelled.height, task)
    roles = np.full(table.height, "pool", dtype=object)
    roles[labelled[PLACE].to_numpy()] = np.where(locked, "vault", "search")
    return pl.Series("role", roles.tolist(), dtype=pl.String)


def vault_size(labelled: int) -> int:
    """Return how many of so many labelled rows are locked away.

    Raises
    ------
    InputError
        When there are fewer than 200.
    """
    if labelled < LABELLED_MINIMUM:
        raise InputError(
            f"A vault needs at least {LABELLED_MINIMUM} labelled rows: {VAULT_MINIMUM} to lock "
            "away, and as many to learn from.",
            given=f"{labelled} labelled rows",
            next_step=f"label {LABELLED_MINIMUM - labelled} more",
        )
    return max(VAULT_MINIMUM, round(VAULT_SHARE * labelled))


def _strata(labelled: pl.DataFrame, task: Task) -> Numbers:
    target = labelled[task.target]
    if task.kind != "regression":
        return target.rank("dense").cast(pl.Int64).to_numpy()
    share = (target.rank("min") - 1) / target.len()
    return (share * STRATA).floor().cast(pl.Int64).to_numpy()


def _take(units: Numbers, size: int) -> set[int]:
    """Return the first units, whole, whose rows number at least ``size``."""
    numbers, counts = np.unique(units, return_counts=True)
    members = dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    chosen: set[int] = set()
    count = 0
    for unit in dict.fromkeys(units.tolist()):
        if count >= size:
            break
        chosen.add(unit)
        count += members[unit]
    return chosen


def _stratified(
    units: Numbers, strata: Numbers, size: int, random: np.random.Generator
) -> set[int]:
    """Draw whole units so that each stratum gives its share of the ``size`` rows.

    A unit belongs to the lowest stratum of its rows. Fractions of rows go to the strata with the
    largest remainders; where large units leave the vault short, further ones are added, the
    smallest first.
    """
    numbers, unit, counts = np.unique(units, return_inverse=True, return_counts=True)
    stratum = np.full(len(numbers), strata.max(), dtype=np.int64)
    np.minimum.at(stratum, unit, strata)
    quota = _quotas(stratum, counts, size)
    chosen: set[int] = set()
    count = 0
    spare = []
    for place in random.permutation(len(numbers)):
        home = int(stratum[place])
        if counts[place] <= quota[home]:
            quota[home] -= int(counts[place])
            chosen.add(int(numbers[place]))
            count += int(counts[place])
        else:
            spare.append(place)
    for place in sorted(spare, key=counts.__getitem__):
        if count >= size:
            break
        chosen.add(int(numbers[place]))
        count += int(counts[place])
    return chosen


def _quotas(stratum: Numbers, counts: Numbers, size: int) -> dict[int, int]:
    names = np.unique(stratum)
    rows = {int(name): int(counts[stratum == name].sum()) for name in names}
    exact = {name: size * count / sum(rows.values()) for name, count in rows.items()}
    quota = {name: math.floor(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (quota[name] - exact[name], name))
    for name in by_remainder[: size - sum(quota.values())]:
        quota[name] += 1
    return quota


def _require_filled(labelled: pl.DataFrame, role: str, column: str | None) -> None:
    missing = 0 if column is None else labelled[column].null_count()
    if missing:
        raise InputError(
            f"The {role} column {column!r} is empty in labelled rows.",
            given=f"{missing:,} rows",
            next_step=f"fill them, or leave --{role} out",
        )


def _check_sides(locked: int, labelled: int, task: Task) -> None:
    if locked >= VAULT_MINIMUM and labelled - locked >= VAULT_MINIMUM:
        return
    what = f"groups of {task.group!r}" if task.group else "rows that share every input"
    raise InputError(
        f"The {what} are too large to part {labelled} labelled rows into a vault and a rest of "
        f"at least {VAULT_MINIMUM} rows each.",
        given=f"{locked} in the vault, {labelled - locked} beside it",
        next_step="label rows of more groups, or remove duplicates",
    )
