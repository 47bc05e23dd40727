"""Existing labels that look wrong: found by several opinions, told with evidence, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError
from assay.evidence import Evidence, Interval
from assay.label.open import opened
from assay.label.rows import read_texts
from assay.label.task import LabelTask
from assay.recipe.confident import doubts, expected_errors, pooled, second_opinions
from assay.recipe.mending import FEWEST, class_codes
from assay.seeds import derive_seed
from assay.tables.door import to_polars
from assay.tables.infer import require_column
from assay.tables.rows import ROW_ID, with_row_ids
from assay.task import ClassDescription

if TYPE_CHECKING:
    from assay.project import Project

REPLICATES = 200
Shares = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SuspectResult:
    """Labels that look wrong.

    Attributes
    ----------
    task
        What the labels are about.
    table
        One line for each of the n labels, the most doubtful first: ``row_id``, ``given``,
        ``suggested`` (the likeliest other class), ``probability`` (of the suggested class, by
        all opinions together), ``flagged``, ``found_by`` (the opinions that do not agree with
        the given label), ``text`` and ``rank``, from 1.
    errors
        How many labels look wrong by confident learning. Rows that are hard to tell count too,
        so it is rather too high than too low.
    """

    task: LabelTask
    table: pl.DataFrame
    errors: Evidence

    @property
    def flagged(self) -> pl.DataFrame:
        """The lines worth a person's look: no more than errors are expected."""
        return self.table.filter(pl.col("flagged"))

    def as_dict(self) -> dict[str, Any]:
        """Return the flagged lines and the estimate as plain JSON values."""
        return {
            "rows": self.table.height,
            "errors": self.errors.as_dict(),
            "suspects": self.flagged.drop("flagged").to_dicts(),
        }


def find_label_errors(
    rows: Any = None,
    target: str | None = None,
    *,
    task: LabelTask | None = None,
    votes: Mapping[str, Shares] | None = None,
    embed: str = "local:minilm",
    project: Project | None = None,
    models: Mapping[str, Any] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> SuspectResult:
    """Find labels that look wrong. Nothing is changed: what comes back is a list to check.

    Each row is judged by a linear model on embeddings that was fitted without it, by the rows
    nearest to it, in a project by its recipe fitted without it, and by the votes given.

    Parameters
    ----------
    rows
        Any kind of table with a label in every row that is judged; a project's search rows by
        default.
    target
        The column of the labels.
    task
        The columns to read, and the classes; by default every other column, and the labels
        that occur.
    votes
        Further opinions that did not see the labels: by name, (n, k) probabilities in the
        order of the task's classes. Those of a labelling are ``result.answers.said``.
    embed
        Turns rows into vectors.
    project
        Whose rows, recipe, ledger and models are used.
    models
        Models by name, in place of the ones that the names stand for.
    folds
        Parts that a fit leaves out in turn.
    seed
        Of the folds.

    Raises
    ------
    InputError
        When there is nothing to judge: no labels, one class, fewer than 20 rows.
    """
    table, task = _read(rows, target, task, project)
    given = _codes(table, task)
    with opened(project, models=models) as (gateway, _):
        texts = [each.text for each in read_texts(table, task)]
        vectors = gateway.embed(embed, texts, columns=task.inputs).astype(np.float64)
        opinions = second_opinions(
            vectors, given, len(task.classes), folds=folds, seed=derive_seed(seed, "suspects")
        )
        if project is not None and rows is None:
            opinions["recipe"] = _by_recipe(project, gateway, seed)
    opinions |= _checked_votes(votes or {}, len(given), len(task.classes))
    return _told(table, task, texts, opinions, seed)


def _read(
    rows: Any, target: str | None, task: LabelTask | None, project: Project | None
) -> tuple[pl.DataFrame, LabelTask]:
    if rows is None:
        if project is None:
            raise InputError("There are no rows to judge.", next_step="give rows, or a project")
        rows = project.search()
    if task is None and project is not None:
        task = LabelTask.of(project.task)
    table = with_row_ids(to_polars(rows))
    name = target or (task.target if task is not None else "label")
    require_column(table, name, "labels")
    table = table.filter(pl.col(name).is_not_null()).with_columns(pl.col(name).cast(pl.String))
    found = sorted(table[name].unique().to_list())
    if table.height < FEWEST or len(found) < 2:
        raise InputError(
            "There are too few labels to judge one by the others.",
            given=f"{table.height} labels of {len(found)} classes",
            allowed=f"at least {FEWEST} labels of two classes",
        )
    if task is None:
        task = LabelTask(target=name, classes=tuple(ClassDescription(name=each) for each in found))
    if task.kind not in ("single", "ordinal"):
        raise InputError("Labels of this kind cannot be judged yet.", given=task.kind,
                         allowed="one class for each row")  # fmt: skip
    inputs = task.inputs or tuple(each for each in table.columns if each not in (ROW_ID, name))
    return table, task.model_copy(update={"inputs": inputs, "target": name})


def _codes(table: pl.DataFrame, task: LabelTask) -> NDArray[np.intp]:
    return class_codes(table[task.target].to_list(), task.class_names)


def _by_recipe(project: Project, gateway: Any, seed: int) -> Shares:
    """Return the recipe's out-of-fold probabilities for the search rows."""
    from assay.recipe import Tools, out_of_fold, splits

    search, task = project.search(), project.task.model_copy(update={"time": None})
    found = splits(search, task, seed=derive_seed(seed, "recipe"), repeats=1)
    judging = task.model_copy(update={"metric": "log_loss"})
    tools = Tools.of(project.ledger(), gateway)
    (predicted,) = out_of_fold((project.recipe,), search, judging, found, tools=tools, seed=seed)
    return np.asarray(predicted.predictions[0], dtype=np.float64)


def _checked_votes(votes: Mapping[str, Shares], n: int, k: int) -> dict[str, Shares]:
    found = {}
    for name, shares in votes.items():
        if shares.shape != (n, k):
            raise InputError(f"The votes {name!r} do not fit the rows and classes.",
                             given=shares.shape, allowed=str((n, k)))  # fmt: skip
        # A row without a vote is an abstention, which sways nothing.
        found[name] = np.where(np.isfinite(shares), shares, 1 / k)
    return found


def _told(
    table: pl.DataFrame,
    task: LabelTask,
    texts: list[str],
    opinions: dict[str, Shares],
    seed: int,
) -> SuspectResult:
    given = _codes(table, task)
    shares = pooled(opinions)
    found = doubts(shares, given)
    names = np.array(task.class_names, dtype=object)
    against = {name: each.argmax(axis=1) != given for name, each in opinions.items()}
    lines = pl.DataFrame(
        {
            ROW_ID: table[ROW_ID],
            "given": names[given].tolist(),
            "suggested": names[found.suggested].tolist(),
            "probability": shares[np.arange(len(given)), found.suggested],
            "flagged": found.flagged,
            "found_by": [_naming(against, row) for row in range(len(given))],
            "text": texts,
            "doubt": found.doubt,
        }
    )
    lines = lines.sort("doubt", descending=True, maintain_order=True).drop("doubt")
    lines = lines.with_columns(rank=pl.int_range(1, pl.len() + 1))
    return SuspectResult(task, lines, _errors(shares, given, found.expected, seed))


def _naming(against: Mapping[str, NDArray[np.bool_]], row: int) -> str:
    return ", ".join(name for name, each in against.items() if each[row])


def _errors(shares: Shares, given: NDArray[np.intp], expected: float, seed: int) -> Evidence:
    random, n = np.random.default_rng(derive_seed(seed, "errors")), len(given)
    counts = random.multinomial(n, np.full(n, 1 / n), size=REPLICATES).astype(np.float64)
    draws = [expected_errors(shares, given, each) for each in counts]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Evidence(
        name="labels that look wrong",
        estimate=expected,
        interval=Interval(float(low), float(high)),
        n=n,
        method=(
            "confident joint (Northcutt et al. 2021); interval by bootstrap over the rows, which "
            "does not hold the method's own bias: hard rows count as errors too"
        ),
        details={"share": expected / n},
    )
