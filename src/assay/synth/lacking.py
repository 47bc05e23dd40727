"""Where rows are lacking: what is seen in the search rows, and what of it synthesis takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from assay.errors import InputError
from assay.ledger import Ledger
from assay.recipe import narrowed
from assay.recipe.weak import weak_slices
from assay.synth.corners import empty_corners
from assay.synth.methods import AUTO, suitable_methods
from assay.synth.private import PRIVATE
from assay.synth.scarcity import (
    FEWEST,
    SHARE,
    class_sizes,
    rare_classes,
    require_enough,
    scope,
    up_to_balance,
)
from assay.synth.spec import EVERY_ROW, subject
from assay.tables.predicate import Predicate
from assay.task import Task

DOSES = (1.0, 4.0)
MOST = 2
"""Of each kind: the costliest slices, the rarest classes, the emptiest corners."""


@dataclass(frozen=True)
class Scarcity:
    """One place where rows are lacking.

    Attributes
    ----------
    kind
        A thin ``slice`` on which a diagnosis found the model to fail, a rare ``class``, or an
        empty ``corner`` of two columns.
    class_name
        The class that is lacking; None for every class there.
    rows
        Search rows that there are.
    doses
        Made rows for each of these that are worth a try.
    why
        How it is seen, in a few words.
    """

    kind: Literal["slice", "class", "corner"]
    class_name: str | None
    where: Predicate
    rows: int
    doses: tuple[float, ...]
    why: str

    @property
    def words(self) -> str:
        """Of which rows, and why they are lacking."""
        return f"{subject(self.class_name, self.where)}: {self.why}"


@dataclass(frozen=True)
class Scope:
    """Of which rows others are made.

    Attributes
    ----------
    seen
        What is taken, then where else rows are lacking; empty where the user named the rows.
    too_few
        In words, classes of which no rows can be made; empty where the user named the rows.
    """

    class_name: str | None
    where: Predicate
    seen: tuple[Scarcity, ...] = ()
    too_few: tuple[str, ...] = ()


def chosen_scope(
    rows: pl.DataFrame,
    task: Task,
    ledger: Ledger,
    *,
    for_class: str | None = None,
    where: str | None = None,
    method: str = AUTO,
) -> Scope:
    """Return what the user named, or else the first scarcity that the method can make rows of.

    A corner is seen and not taken: columns that depend on each other leave corners empty that no
    real row will fill. Where no slice and no class is lacking it is the smallest class, and the
    whole table of a regression. For private rows nothing is looked for, as that tells of the rows.

    Parameters
    ----------
    rows
        Search rows.
    ledger
        Holds what the newest diagnosis of these rows found.

    Raises
    ------
    InputError
        As :func:`assay.synth.scarcity.scope` does.
    """
    if for_class is not None or where is not None or method == PRIVATE:
        return Scope(*scope(rows, task, for_class, where))
    seen, too_few = scarcities(rows, task, ledger), tuple(_too_few(rows, task))
    for taken in seen:
        fits = method in (AUTO, *suitable_methods(task, taken.class_name))
        if fits and taken.kind != "corner":
            others = tuple(each for each in seen if each is not taken)
            return Scope(taken.class_name, taken.where, (taken, *others), too_few)
    taken = _smallest(rows, task)
    return Scope(taken.class_name, taken.where, (taken, *seen), too_few)


def scarcities(rows: pl.DataFrame, task: Task, ledger: Ledger) -> tuple[Scarcity, ...]:
    """Return where rows are lacking, and enough of them to make others from.

    Thin slices come first: there a model is known to fail. Then come rare classes, and corners,
    where rows are few and nothing else is known.
    """
    return (
        *_within(_thin_slices(rows, task, ledger)),
        *_within(_of_classes(rows, task)),
        *_within(_of_corners(rows, task)),
    )


def _within(found: Iterator[Scarcity]) -> Sequence[Scarcity]:
    return [each for _, each in zip(range(MOST), found, strict=False)]


def _thin_slices(rows: pl.DataFrame, task: Task, ledger: Ledger) -> Iterator[Scarcity]:
    """Yield slices of less than a quarter of the rows: half an even share of in and out."""
    for weak in weak_slices(ledger, rows, task):
        known = narrowed(rows, task, weak.class_name, weak.where)
        try:
            own = require_enough(known, task, weak.class_name, weak.where).height
        except InputError:
            continue  # too few to make others from, or all the same
        if own < SHARE * rows.height / 2:
            why = f"{own} of {rows.height:,} rows, and the model fails there ({weak.why})"
            yield Scarcity("slice", weak.class_name, weak.where, own, DOSES, why)


def _of_classes(rows: pl.DataFrame, task: Task) -> Iterator[Scarcity]:
    sizes = class_sizes(rows, task)
    for name in rare_classes(rows, task):
        doses = up_to_balance(DOSES, rows, task, name)
        why = f"{sizes[name]} of {rows.height:,} rows"
        yield Scarcity("class", name, EVERY_ROW, sizes[name], doses, why)


def _too_few(rows: pl.DataFrame, task: Task) -> Iterator[str]:
    for name, size in class_sizes(rows, task).items():
        if size < FEWEST:
            yield (
                f"{name!r} has {size} search row{'' if size == 1 else 's'}, too few to make others "
                f"from: label at least {FEWEST - size} more"
            )


def _smallest(rows: pl.DataFrame, task: Task) -> Scarcity:
    """Return what is taken where no slice and no class is lacking."""
    name, where = scope(rows, task, None, None)
    size = rows.height if name is None else class_sizes(rows, task)[name]
    what = "the whole table" if name is None else "the smallest class that others can be made from"
    why = f"{size} of {rows.height:,} rows, {what}"
    return Scarcity("class", name, where, size, DOSES, why)


def _of_corners(rows: pl.DataFrame, task: Task) -> Iterator[Scarcity]:
    for each in empty_corners(rows, task) if task.text is None else ():
        dose = round(min(each.expected / each.rows - 1, max(DOSES)), 1)
        why = f"{each.rows} rows, {each.expected:.0f} were its two columns independent"
        yield Scarcity("corner", None, each.where, each.rows, (dose,), why)
