"""Looking before searching: leaks, a sample of many rows, embeddings where they are affordable."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from assay.errors import InputError
from assay.experiment.embedding import embedder
from assay.experiment.leaks import Leak, leaks
from assay.experiment.order import Order, without_columns
from assay.experiment.search.carrying import told
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.prior_fitted import missing_weights
from assay.project import Project
from assay.recipe import Recipe, Tools, columns_of
from assay.recipe.splits import FOLDS
from assay.recipe.trial import prepare
from assay.seeds import derive_seed
from assay.task import Task

MOST_ROWS = 50_000
"""A search reads so many rows at most; what it finds is built on all of them."""

NAMED = 2
"""More columns than so many are counted in the baseline's name."""


@dataclass(frozen=True)
class Seen:
    """What a search goes by.

    Attributes
    ----------
    rows
        The rows that the search reads: all search rows, or a sample.
    sampled
        How many, where it is a sample.
    baseline
        The project's recipe without the columns that are left out, nor a decision that stated
        costs overrule.
    lost
        Those of ``left_out`` that the project's recipe reads.
    """

    rows: pl.DataFrame
    sampled: int | None
    leaks: tuple[Leak, ...]
    left_out: tuple[str, ...]
    baseline: Recipe
    lost: tuple[str, ...]
    circumstances: Circumstances
    notes: list[str] = field(default_factory=list)

    @property
    def own_name(self) -> str:
        """What the baseline is called on the leaderboard."""
        if not self.lost:
            return "project"
        few = len(self.lost) <= NAMED
        return "project without " + (", ".join(self.lost) if few else f"{len(self.lost)} columns")


def look(project: Project, order: Order, tools: Tools) -> Seen:
    """Return what the search will go by.

    Raises
    ------
    InputError
        When a column to keep or to leave out is none of the task's, or nothing is left to predict
        from.
    """
    task, search = project.task, project.search()
    _require_features(task, order)
    seed, notes = project.settings.seed, []
    found = leaks(search, task, seed=seed)
    leaking = [each.column for each in found if each.column not in order.keep]
    left_out = tuple(dict.fromkeys([*leaking, *order.leave_out]))
    for leak in found:
        fate = "left out" if leak.column in left_out else "kept, as you asked"
        notes.append(f"{leak.why}; it is {fate}")
    asked = [each for each in order.leave_out if each not in leaking]
    if asked:
        notes.append(f"{', '.join(asked)} left out, as you asked")
    if left_out and set(left_out) >= set(task.inputs):
        raise InputError(
            "Every column gives the target away or is left out, so there is nothing to search.",
            given=", ".join(left_out),
            next_step="name those that are known before the outcome with --keep",
        )
    rows = _sample(search, project, notes)
    read = {name for each in project.recipe.all_features for name in columns_of(each)}
    baseline = _baseline(project, left_out, notes)
    prepare([baseline], rows, tools)
    circumstances = Circumstances.of(
        task,
        rows,
        without=left_out,
        embed_model=embedder(project, rows, order, tools, notes),
        baseline=baseline,
    )
    notes += told(baseline, embeds=circumstances.embed_model is not None)
    notes += missing_weights(circumstances)
    return Seen(
        rows=rows,
        sampled=rows.height if rows.height < search.height else None,
        leaks=found,
        left_out=left_out,
        baseline=baseline,
        lost=tuple(each for each in left_out if each in read),
        circumstances=circumstances,
        notes=notes,
    )


def _require_features(task: Task, order: Order) -> None:
    for what, names in (("keep", order.keep), ("leave out", order.leave_out)):
        unknown = [each for each in names if each not in task.features]
        if unknown:
            raise InputError(
                f"There is no such column to {what}.",
                given=unknown[0],
                allowed=", ".join(task.features[:20]) or "none: the task reads a text",
            )
    both = set(order.keep) & set(order.leave_out)
    if both:
        raise InputError("A column cannot be both kept and left out.", given=min(both))


def _baseline(project: Project, left_out: tuple[str, ...], notes: list[str]) -> Recipe:
    recipe, task = without_columns(project.recipe, left_out), project.task
    if recipe.decision is None or task.threshold is None:
        return recipe
    notes.append(
        f"{task.metric} decides from a probability of {task.threshold:.3f} on; the [decision] of "
        "recipe.toml is not read"
    )
    return recipe.with_decision(None)


def _sample(search: pl.DataFrame, project: Project, notes: list[str]) -> pl.DataFrame:
    if search.height <= MOST_ROWS:
        return search
    seed, group = derive_seed(project.settings.seed, "sample"), project.task.group
    rows = search.sample(MOST_ROWS, seed=seed) if group is None else _of_groups(search, group, seed)
    notes.append(
        f"the search reads a sample of {rows.height:,} of {search.height:,} rows; what it finds "
        "is built on all of them"
    )
    return rows


def _of_groups(search: pl.DataFrame, group: str, seed: int) -> pl.DataFrame:
    """Return rows drawn at random, of as many groups at least as there are folds.

    Rows are drawn, not groups: a group may hold nearly all rows, and more groups teach more. The
    folds keep together what is drawn of each.
    """
    first = pl.col(group).is_first_distinct()
    needed = first & (first.cum_sum() <= FOLDS)
    shuffled = search.sample(fraction=1.0, shuffle=True, seed=seed)
    return shuffled.sort(needed, descending=True, maintain_order=True).head(MOST_ROWS)
