"""The rows that snippets are tried on: a sample of a project's, or made-up ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from assay.ask.spec import Need
from assay.tables import CATEGORIES, column_kind

if TYPE_CHECKING:
    from assay.project import Project

MOST_ROWS = 1000
MADE_UP = "made-up rows"
MADE_UP_ROWS = 400


@dataclass(frozen=True)
class Given:
    """Rows and the names of their columns, as snippets find them.

    Attributes
    ----------
    whose
        Where the rows are from, in words.
    kind
        ``binary``, ``multiclass`` or ``regression``.
    """

    rows: pl.DataFrame
    whose: str
    kind: str
    target: str
    numeric: list[str]
    categorical: list[str]
    text: str | None = None
    group: str | None = None
    time: str | None = None

    def lacks(self, needs: Sequence[Need]) -> list[str]:
        """Return what of ``needs`` the rows do not have."""
        has = {
            "numeric": bool(self.numeric),
            "categorical": bool(self.categorical),
            "text": self.text is not None,
            "group": self.group is not None,
            "time": self.time is not None,
            "class": self.kind != "regression",
            "binary": self.kind == "binary",
            "regression": self.kind == "regression",
        }
        return [each for each in needs if not has[each]]

    def variables(self) -> dict[str, Any]:
        """Return what a snippet finds, by name."""
        names = ("target", "numeric", "categorical", "text", "group", "time")
        return {"rows": self.rows} | {name: getattr(self, name) for name in names}


def rows_of(project: Project, *, without: Collection[str] = ()) -> Given:
    """Return a sample of a project's search rows.

    Parameters
    ----------
    without
        Columns to leave out: those that must not leave this machine.
    """
    task, search = project.task, project.search()
    rows = search.drop("row_id", *without, strict=False)
    if rows.height > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, seed=project.settings.seed, shuffle=True)
    names = [name for name in task.inputs if name in rows.columns]
    inputs = rows.select(name for name in names if rows[name].null_count() < rows.height)
    words = inputs.select(cs.string() | cs.categorical() | cs.enum() | cs.boolean()).columns
    kinds = {name: column_kind(inputs[name]) for name in words}
    texts = [task.text] if task.text else [name for name in words if kinds[name] == "text"]
    times = [task.time] if task.time else inputs.select(cs.date() | cs.datetime()).columns
    return Given(
        rows=rows,
        whose="search rows of the project",
        kind=task.kind,
        target=task.target,
        numeric=inputs.select(cs.numeric()).columns,
        categorical=[name for name in words if kinds[name] in CATEGORIES and name != task.text],
        text=next((name for name in texts if name in rows.columns), None),
        group=task.group if task.group in rows.columns else None,
        time=next((name for name in times if name in rows.columns), None),
    )


def made_up(needs: Sequence[Need] = ()) -> Given:
    """Return 400 rows with a column of every sort, for want of rows that have what is needed.

    They say nothing about anyone's data; they show that a snippet runs and keeps its promise.
    """
    import numpy as np

    random = np.random.default_rng(0)
    n = MADE_UP_ROWS
    age, income = random.normal(45, 12, n).round(), random.lognormal(10, 0.6, n).round(2)
    visits = random.poisson(4, n)
    city = random.choice(["north", "south", "east"], n, p=[0.6, 0.3, 0.1])
    left = random.random(n) < 1 / (1 + np.exp(0.5 * visits - 0.08 * (age - 45) - 0.3))
    spend = 20 + 3 * visits + age / 5 + random.normal(0, 3, n)
    words = np.where(left, "slow late refund broken", "quick kind thanks fine").tolist()
    common = ["the", "order", "of", "my", "new", "phone", "was"]
    notes = [" ".join(random.permutation([*each.split(), *common])) for each in words]
    start = date(2024, 1, 1)
    rows = pl.DataFrame(
        {
            "age": age,
            "income": income,
            "visits": visits,
            "city": city,
            "plan": random.choice(["basic", "plus"], n),
            "customer": [f"c{number}" for number in random.integers(0, 80, n)],
            "day": [start + timedelta(days=int(each)) for each in random.integers(0, 700, n)],
            "note": notes,
            "spend": spend.round(2),
            "left": np.where(left, "yes", "no"),
        }
    ).with_columns(
        pl.when(pl.Series(random.random(n) > 0.1)).then("income"),
        pl.when(pl.Series(random.random(n) > 0.05)).then("plan"),
    )
    regression = "regression" in needs
    return Given(
        rows=rows.drop("left" if regression else "spend"),
        whose=MADE_UP,
        kind="regression" if regression else "binary",
        target="spend" if regression else "left",
        numeric=["age", "income", "visits"],
        categorical=["city", "plan"],
        text="note",
        group="customer",
        time="day",
    )


def described(given: Given) -> dict[str, Any]:
    """Return the names and types of the columns, and no value of any row."""
    found = asdict(given)
    names = ("kind", "target", "numeric", "categorical", "text", "group", "time")
    types = {name: str(kind) for name, kind in given.rows.schema.items()}
    return {"columns": types, "rows": given.rows.height} | {name: found[name] for name in names}
