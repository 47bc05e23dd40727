"""Which of some newly labelled rows may be locked: those that nothing was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from assay.errors import InputError
from assay.tables import (
    ROW_ID,
    copies_matter,
    fitted,
    require_column,
    to_polars,
    with_clean_target,
    with_plain_columns,
    with_row_ids,
    with_times,
)

if TYPE_CHECKING:
    from assay.project.project import Project


@dataclass(frozen=True)
class Fresh:
    """Rows to lock, the pool without them, and how many were left out for which reason."""

    rows: pl.DataFrame
    pool: pl.DataFrame
    left_out: dict[str, int]


def fresh_rows(project: Project, table: Any, known: Sequence[pl.DataFrame]) -> Fresh:
    """Return the labelled rows of ``table`` that may be locked.

    ``known`` are the search rows, then those of every vault so far. Left out are rows, copies
    and groups among them, rows that the recipe trains on beside the search rows, and, in a task
    ordered by time, rows that are not later than all those known.

    Raises
    ------
    InputError
        When a column is absent or a label unknown, or rows without inputs are not in the pool.
    """
    task, search, pool = project.task, known[0], project.pool()
    rows = _read(table, project, pool, len(known))
    rows = _shaped(fitted(rows, task), search)
    seen = pl.concat([each.select(search.columns) for each in known])
    left_out: dict[str, int] = {}

    def keep(kept: pl.DataFrame, why: str) -> None:
        nonlocal rows
        if kept.height < rows.height:
            left_out[why] = rows.height - kept.height
        rows = kept

    inputs = list(task.inputs)
    together = copies_matter(pl.concat([search, rows]), task)
    keep(_without(rows, seen, [ROW_ID]), "known already")
    if together:
        keep(_without(rows, seen, inputs), "copies of rows known already")
        trained = _trained_on(project, inputs)
        if trained is not None:
            keep(_without(rows, trained, inputs), "trained on by the recipe")
    if task.group is not None:
        keep(_without(rows, seen, [task.group]), "of groups known already")
    if task.time is not None:
        keep(rows.filter(pl.col(task.time) > seen[task.time].max()), "not later than those known")
    pool = _without(pool, rows, [ROW_ID])
    if together:
        pool = _without(pool, rows, inputs)
    return Fresh(rows, pool, left_out)


def _read(table: Any, project: Project, pool: pl.DataFrame, number: int) -> pl.DataFrame:
    """Return the labelled rows with every column that a project keeps."""
    task = project.task
    given = with_plain_columns(to_polars(table))
    require_column(given, task.target, "target")
    numbered = ROW_ID not in given.columns
    given = with_row_ids(given)
    if numbered:  # the numbers of another table name other rows
        given = given.with_columns(pl.format("vault-{}-{}", pl.lit(number), ROW_ID).alias(ROW_ID))
    given = with_clean_target(given, task.target).filter(pl.col(task.target).is_not_null())
    wanted = dict.fromkeys((*task.inputs, task.group, task.time))
    missing = [name for name in wanted if name is not None and name not in given.columns]
    if missing and not numbered:
        return _of_pool(given.select(ROW_ID, task.target), pool)
    for name in missing:
        require_column(given, name, "input")
    return with_times(given, task.time)


def _of_pool(labels: pl.DataFrame, pool: pl.DataFrame) -> pl.DataFrame:
    unknown = labels.join(pool, on=ROW_ID, how="anti")[ROW_ID]
    if len(unknown):
        raise InputError(
            "Labelled rows without their inputs must be rows of the pool.",
            given=f"{len(unknown)} are not, such as {unknown[0]!r}",
            next_step="give their inputs too, or correct row_id",
        )
    return labels.join(pool, on=ROW_ID, how="inner", maintain_order="left")


def _shaped(rows: pl.DataFrame, search: pl.DataFrame) -> pl.DataFrame:
    try:
        return rows.select(search.columns).cast(search.schema)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            "The rows do not have the types of the project's own.",
            given=str(error).splitlines()[0],
            next_step="convert the column",
        ) from error


def _trained_on(project: Project, inputs: list[str]) -> pl.DataFrame | None:
    """Return the inputs of rows that the recipe trains on beside the search rows."""
    rows = project.recipe.rows
    artefacts = [*rows.extra, *(each.votes for each in rows.added)]
    tables = [project.ledger().read_table(each).select(inputs) for each in artefacts]
    return pl.concat(tables).unique() if tables else None


def _without(rows: pl.DataFrame, others: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    return rows.join(
        others.select(columns).unique(),
        on=columns,
        how="anti",
        nulls_equal=True,
        maintain_order="left",
    )
