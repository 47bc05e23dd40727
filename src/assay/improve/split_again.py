"""A recipe judged under a stricter split: by time, or by group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from assay.diagnose.spec import Diagnosis, Finding
from assay.diagnose.strategies.tried import SplitAgain, SplitBy
from assay.project import Project
from assay.recipe import Recipe, Split, Tools, compared, out_of_fold, splits
from assay.seeds import derive_seed
from assay.tables import row_units, with_times
from assay.task import Task

BY: dict[str, SplitBy] = {"split by group": "group", "split by time": "time"}
MOST = 3
"""Columns that are tried, those of the dearest findings."""
PARTS = 3


def split_again(
    project: Project, recipe: Recipe, diagnosis: Diagnosis, tools: Tools
) -> tuple[SplitAgain, ...]:
    """Measure what findings say of how rows were split; empty where none does.

    Fewer rows to learn from make a model worse by themselves, and a stricter split leaves fewer.
    So both kinds of model learn from as many rows, and judge the same ones: what differs is which.
    Of a split by group the interval counts groups, since rows that tell of each other err together.
    """
    wanted: dict[tuple[SplitBy, str], Finding] = {}
    for finding in diagnosis.findings:
        for remedy in finding.remedies:
            if remedy.kind in BY and remedy.column is not None:
                wanted.setdefault((BY[remedy.kind], remedy.column), finding)
    return tuple(
        _measured(project, recipe, finding, by, column, tools)
        for (by, column), finding in list(wanted.items())[:MOST]
    )


def _measured(
    project: Project, recipe: Recipe, finding: Finding, by: SplitBy, column: str, tools: Tools
) -> SplitAgain:
    task, seed = project.task, derive_seed(project.settings.seed, "split again", by, column)
    rows = project.search().filter(pl.col(column).is_not_null())
    strict = splits(
        with_times(rows, column) if by == "time" else rows,
        task.model_copy(update={by: column}), seed=seed, repeats=1,
    )  # fmt: skip
    mixed = _as_many(strict, rows, task, seed)
    (first,), (second,) = (
        out_of_fold((recipe,), rows, task, each, tools=tools, seed=seed) for each in (mixed, strict)
    )
    told = task.model_copy(update={"group": column}) if by == "group" else task
    trial = compared(rows, told, first, second, seed=seed)
    return SplitAgain(
        finding.code, finding.title, by, column, trial.before, trial.after, trial.gain
    )


def _as_many(strict: Sequence[Split], rows: pl.DataFrame, task: Task, seed: int) -> list[Split]:
    """Return splits that judge the same rows by models of as many, drawn from all others.

    Each block of judged rows is judged in parts, so that the rest of the block can be drawn too,
    as it is where rows are split at random; copies and groups stay whole.
    """
    units = row_units(rows, task)
    found: list[Split] = []
    for each in strict:
        random = np.random.default_rng(derive_seed(seed, "as many", each.fold))
        names = random.permutation(np.unique(units[each.test]))
        for part in np.array_split(names, min(PARTS, len(names))):
            held = np.isin(units, part)
            others = np.flatnonzero(~held)
            drawn = random.choice(others, min(len(each.train), len(others)), replace=False)
            test = each.test[held[each.test]]
            found.append(Split(each.repeat, len(found), np.sort(drawn), test))
    return found
