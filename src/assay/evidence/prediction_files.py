"""Two models' prediction files, brought into one order of rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay.errors import InputError


@dataclass(frozen=True)
class Predictions:
    """Two models' predictions for the same rows, in the same order.

    Attributes
    ----------
    before, after
        Tables with ``prediction``, and ``probability:CLASS`` for each class or ``score``.
    """

    truth: pl.Series
    before: pl.DataFrame
    after: pl.DataFrame
    groups: pl.Series | None = None
    weights: pl.Series | None = None


def read_predictions(
    before: Path,
    after: Path,
    *,
    truth: Path | None = None,
    target: str = "truth",
    row_id: str = "row_id",
    group: str | None = None,
    weight: str | None = None,
) -> Predictions:
    """Read two prediction files and bring their rows into one order.

    Parameters
    ----------
    truth
        A third file with the ``target`` column; by default the first file holds it.
    row_id
        The column that joins the files; where no file has it, row i is the same row in each.

    Raises
    ------
    InputError
        When rows are missing in one file or repeat, or a column is absent.
    """
    from assay.tables import read_table

    paths = {"before": before, "after": after} | ({} if truth is None else {"truth": truth})
    tables = {name: read_table(path) for name, path in paths.items()}
    tables = _aligned(tables, row_id)
    home = tables.get("truth", tables["before"])
    where = "truth" if truth is not None else "before"
    return Predictions(
        truth=column_of(home, target, where),
        before=tables["before"],
        after=tables["after"],
        groups=None if group is None else column_of(home, group, where),
        weights=None if weight is None else column_of(home, weight, where),
    )


def column_of(table: pl.DataFrame, column: str, name: str) -> pl.Series:
    """Return a column of the ``name`` file; raise `InputError` when it has none such."""
    if column not in table.columns:
        raise InputError(
            f"The {name} file has no column {column!r}.", given=", ".join(table.columns)
        )
    return table[column]


def _aligned(tables: dict[str, pl.DataFrame], row_id: str) -> dict[str, pl.DataFrame]:
    """Bring every table into the order of the first."""
    having = [name for name, table in tables.items() if row_id in table.columns]
    if not having:
        if len({table.height for table in tables.values()}) > 1:
            raise InputError(
                f"The files differ in length and hold no column {row_id!r}.",
                given=", ".join(f"{name}: {table.height}" for name, table in tables.items()),
                next_step=f"add a {row_id} column to each file",
            )
        return tables
    for name, table in tables.items():
        ids = column_of(table, row_id, name)
        if ids.n_unique() != len(ids) or ids.null_count():
            raise InputError(
                f"The {name} file repeats or lacks a {row_id}.",
                given=f"{len(ids) - ids.n_unique()} repeated, {ids.null_count()} empty",
                next_step="give every row one id",
            )
    keyed = {
        name: table.with_columns(pl.col(row_id).cast(pl.String)) for name, table in tables.items()
    }
    order = keyed["before"][[row_id]]
    for name, table in keyed.items():
        missing = order.join(table, on=row_id, how="anti").height
        extra = table.join(order, on=row_id, how="anti").height
        if missing or extra:
            raise InputError(
                f"The before and {name} files hold different rows.",
                given=f"{missing} only in before, {extra} only in {name}",
                next_step="predict the same rows with both models",
            )
    return {
        name: order.join(table, on=row_id, how="left", maintain_order="left")
        for name, table in keyed.items()
    }
