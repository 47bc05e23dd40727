"""From any table to the rows of a project: the task, each row's role, and the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.tables import (
    ROW_ID,
    VAULT_MINIMUM,
    VAULT_SHARE,
    Note,
    Role,
    assign_roles,
    completed,
    copies_matter,
    fitted,
    infer_task,
    require_column,
    to_polars,
    with_clean_target,
    with_plain_columns,
    with_row_ids,
    with_times,
)
from assay.task import Task

PURPOSE = "assay_purpose"
"""Column by which made rows tell what they are for, ``train`` or ``test``."""


@dataclass(frozen=True)
class Prepared:
    """What a project is made of.

    Attributes
    ----------
    rows
        By role: ``row_id``, inputs, target, and the group and time columns of the task.
    notes
        What was found, and why it was decided so.
    """

    task: Task
    rows: dict[Role, pl.DataFrame]
    notes: tuple[Note, ...]

    @property
    def counts(self) -> str:
        """How many rows play each role, in words."""
        return ", ".join(f"{rows.height:,} {role}" for role, rows in self.rows.items())


def prepare(
    table: Any, *, task: Task | None, target: str | None, seed: int, **known: Any
) -> Prepared:
    """Find the task, unless it is given, and the role of each row.

    Parameters
    ----------
    known
        text, kind, metric, group, time: see :func:`assay.tables.infer_task`.

    Raises
    ------
    InputError
        When the table or a parameter is not usable.
    """
    name = target if task is None else task.target
    if name is None:
        raise InputError("target is missing.", next_step="name the column to predict")
    _refuse_both(task, target, known)
    table = with_plain_columns(with_row_ids(to_polars(table)))
    require_column(table, name, "target")
    refuse_test_cases(table)
    table = with_clean_target(table, name)
    notes: tuple[Note, ...] = ()
    if task is None:
        found = infer_task(table, name, **known)
        task, notes = found.task, found.notes
    task = completed(task, table)
    table = fitted(with_times(table, task.time), task)
    rows = _by_role(table, task, seed)
    notes += (*_notes_on_roles(rows, task), *_notes_on_copies(rows, task))
    rows["pool"] = _without_copies(rows["pool"], rows["vault"], task).drop(task.target)
    return Prepared(task, rows, notes)


def refuse_test_cases(table: pl.DataFrame) -> None:
    """Refuse rows that were made to test a model.

    Raises
    ------
    InputError
        When a row is marked so.
    """
    if PURPOSE in table.columns and (table[PURPOSE].cast(pl.String) == "test").any():
        raise InputError(
            "The table holds rows that were made to test a model, which must not train one.",
            given=f"{PURPOSE} = test",
            next_step="leave them out, and judge by them with assay predict",
        )


def _refuse_both(task: Task | None, target: str | None, known: dict[str, Any]) -> None:
    given = {"target": target, **known}
    twice = [name for name, value in given.items() if value is not None]
    if task is not None and twice:
        raise InputError(
            f"{twice[0]} and task cannot both be given.",
            given=given[twice[0]],
            next_step=f"set {twice[0]} in the task",
        )


def _by_role(table: pl.DataFrame, task: Task, seed: int) -> dict[Role, pl.DataFrame]:
    roles = assign_roles(table, task, seed=seed)
    wanted = (ROW_ID, *task.inputs, task.target, task.group, task.time)
    rows = table.select([name for name in dict.fromkeys(wanted) if name is not None])
    order: tuple[Role, ...] = ("search", "pool", "vault")
    return {role: rows.filter(roles == role) for role in order}


def _without_copies(pool: pl.DataFrame, vault: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Return the pool without copies of locked rows: a source would read the vault in them."""
    if task.text is None:
        return pool
    return pool.join(vault.select(task.text), on=task.text, how="anti", maintain_order="left")


def _notes_on_roles(rows: dict[Role, pl.DataFrame], task: Task) -> list[Note]:
    vault, search, pool = (rows[role] for role in ("vault", "search", "pool"))
    if task.time:
        drawn = f"the latest by {task.time!r}"
    elif task.group:
        drawn = f"whole groups of {task.group!r}"
    else:
        drawn = "the same share of each class" if task.classes else "the same share of each decile"
    share = f"{VAULT_SHARE:.0%} of the labelled rows and at least {VAULT_MINIMUM}, {drawn}"
    notes = [
        Note(f"{vault.height:,} rows are locked in the vault", share),
        Note(f"{search.height:,} rows are searched on", "the other labelled rows"),
    ]
    if pool.height:
        notes.append(Note(f"{pool.height:,} rows are the pool", f"{task.target!r} is empty there"))
    return notes


def _notes_on_copies(rows: dict[Role, pl.DataFrame], task: Task) -> list[Note]:
    labelled = pl.concat([rows["search"], rows["vault"]])
    copies = labelled.height - labelled.select(pl.struct(task.inputs).n_unique()).item()
    left_out = rows["pool"].height - _without_copies(rows["pool"], rows["vault"], task).height
    notes = []
    if copies and copies_matter(labelled, task):
        why = "the vault must not hold what is trained on"
        notes.append(Note(f"{copies:,} labelled rows are copies; they stay on one side", why))
    elif copies:
        why = "most rows share every input, so these are not taken for copies"
        notes.append(Note("equal rows may lie in both search and vault", why))
    if left_out:
        why = "they are copies of locked rows"
        notes.append(Note(f"{left_out:,} rows of the pool are left out", why))
    return notes
