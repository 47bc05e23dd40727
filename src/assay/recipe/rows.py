"""The training rows of a recipe: the given rows, edited, and rows voted in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.recipe.features import FeatureUnion, Matrix, side_by_side
from assay.recipe.making import made_from
from assay.recipe.mending import mended_rows
from assay.recipe.row_parts import Copies
from assay.recipe.spec import AddedRows, Recipe
from assay.recipe.tools import Tools
from assay.seeds import derive_seed
from assay.tables import read_alike
from assay.task import Task

VOTE = "vote:"
MADE_FROM = "made_from"
"""Column of an extra row that names the search row it was made from, where there is one."""

SHOWN = "shown"
"""Column of an extra row that lists every search row that whoever wrote it was shown."""

ORDER, SET = "drawn as", "assay:set"

FLOOR = 1e-4
"""Votes below this probability count as this: a single vote is never certain."""

SCALE = 0.3
"""Brings log votes to the size of the features beside them; the fit converges in a tenth of
the steps."""

LOOSENESS = 10.0
"""Inverse regularisation of the weighing: its features are few and already on one scale."""


@dataclass(frozen=True)
class TrainingRows:
    """Rows with their target, and how much each weighs.

    Attributes
    ----------
    rows
        Inputs and target, m rows.
    weights
        (m,) float64; a labelled row weighs 1.
    """

    rows: pl.DataFrame
    weights: np.ndarray


def training_rows(
    recipe: Recipe,
    labelled: pl.DataFrame,
    task: Task,
    tools: Tools,
    seed: int,
    judged: pl.DataFrame | None = None,
) -> TrainingRows:
    """Return the rows that ``recipe`` trains on when ``labelled`` are the rows at hand.

    Parameters
    ----------
    judged
        The rows that the model will be judged on, where they are known (a fold's test rows).
        Extra rows that copy one of them stay out, as do those whose maker saw a row that is not
        at hand: they would tell the answer, or under a time split what came later.
    """
    columns = [*task.inputs, task.target]
    rows = _relabelled(recipe, _kept(recipe, labelled, tools), task, tools)
    rows = _agreed(rows, task, recipe.rows.copies)
    for mended in recipe.rows.mended:
        rows = mended_rows(mended, rows, task, tools, seed)
    if recipe.rows.rarest_share:
        rows = _thinned(rows, task, recipe.rows.rarest_share, seed)
    parts = [rows.select(columns)]
    weights = [np.ones(rows.height)]
    for number, made in enumerate(recipe.rows.made):
        new = made_from(made, rows, task, derive_seed(seed, "made", number))
        parts.append(new.select(columns).cast(parts[0].schema))
        weights.append(np.ones(new.height))
    for artefact in recipe.rows.extra:
        extra = _apart(tools.table(artefact), labelled, judged, task)
        extra = extra.select(columns).cast(parts[0].schema)
        parts.append(extra)
        weights.append(np.ones(extra.height))
    for added in recipe.rows.added:
        voted = voted_rows(added, rows, task, tools, seed)
        parts.append(voted.select(columns).cast(parts[0].schema))
        weights.append(np.full(voted.height, added.weight))
    return _weighted(recipe, TrainingRows(pl.concat(parts), np.concatenate(weights)))


def _weighted(recipe: Recipe, training: TrainingRows) -> TrainingRows:
    weights = training.weights
    for each in recipe.rows.weighted:
        weights = np.where(each.predicate.select(training.rows), each.factor * weights, weights)
    return TrainingRows(training.rows, weights)


def voted_rows(
    added: AddedRows, labelled: pl.DataFrame, task: Task, tools: Tools, seed: int
) -> pl.DataFrame:
    """Return the rows whose combined vote is confident: inputs, target, ``confidence``.

    A logistic regression learns from ``labelled`` alone how much each vote (as log
    probabilities) and each of ``added.features`` counts: stacking in the sense of Wolpert
    (1992). Rows of ``labelled`` themselves are never among those returned, and neither are
    other labelled rows that the votes table holds for the weighing.
    """
    from sklearn.linear_model import LogisticRegression

    votes = tools.table(added.votes)
    known = votes.join(labelled.select("row_id", task.target), on="row_id", how="inner")
    unlabelled = votes.filter(pl.col("unlabelled"))
    if unlabelled.is_empty() or known[task.target].n_unique() < 2:
        return unlabelled.head(0).with_columns(
            pl.lit(None, pl.String).alias(task.target), pl.lit(0.0).alias("confidence")
        )
    encoder = FeatureUnion(added.features, tools) if added.features else None
    model = LogisticRegression(C=LOOSENESS, max_iter=1000, random_state=seed)
    model.fit(_weighed(known, encoder, fit=True), known[task.target].to_numpy())
    probabilities = model.predict_proba(_weighed(unlabelled, encoder, fit=False))
    labels = np.asarray(model.classes_)[probabilities.argmax(axis=1)]
    return unlabelled.with_columns(
        pl.Series(task.target, labels, dtype=pl.String),
        pl.Series("confidence", probabilities.max(axis=1)),
    ).filter(pl.col("confidence") >= added.min_confidence)


def _weighed(rows: pl.DataFrame, encoder: FeatureUnion | None, *, fit: bool) -> Matrix:
    columns = [name for name in rows.columns if name.startswith(VOTE)]
    votes = SCALE * np.log(np.clip(rows.select(columns).to_numpy(), FLOOR, 1.0))
    if encoder is None:
        return votes
    return side_by_side([votes, encoder.fit_transform(rows) if fit else encoder.transform(rows)])


def _apart(
    extra: pl.DataFrame, labelled: pl.DataFrame, judged: pl.DataFrame | None, task: Task
) -> pl.DataFrame:
    if judged is None:
        return extra
    at_hand = labelled["row_id"].implode()
    if MADE_FROM in extra.columns:
        extra = extra.filter(pl.col(MADE_FROM).is_in(at_hand).fill_null(True))
    if SHOWN in extra.columns:
        seen = pl.col(SHOWN).list.eval(pl.element().is_in(at_hand)).list.all()
        extra = extra.filter(seen.fill_null(True))
    inputs = list(task.inputs)
    return extra.join(judged.select(inputs).unique(), on=inputs, how="anti", nulls_equal=True)


def _kept(recipe: Recipe, rows: pl.DataFrame, tools: Tools) -> pl.DataFrame:
    for artefact in recipe.rows.dropped:
        rows = rows.join(tools.table(artefact).select("row_id"), on="row_id", how="anti")
    if rows.is_empty():
        raise InputError(
            "The recipe drops every training row.", next_step="mend rows.dropped in recipe.toml"
        )
    return rows


def _agreed(rows: pl.DataFrame, task: Task, copies: Copies) -> pl.DataFrame:
    """Give copies their commonest label, of a tie the first; a regression's their mean target."""
    if copies == "kept":
        return rows
    target = pl.col(task.target)
    one = target.mean() if task.kind == "regression" else target.mode(maintain_order=True).first()
    told = rows.with_columns(read_alike(task).alias(SET))
    told = told.with_columns(one.over(SET).cast(rows.schema[task.target]).alias(task.target))
    if copies == "one":
        told = told.unique(SET, keep="first", maintain_order=True)
    return told.drop(SET)


def _thinned(rows: pl.DataFrame, task: Task, rarest_share: float, seed: int) -> pl.DataFrame:
    """Leave rows of large classes out until the rarest has its share of the largest."""
    if task.kind == "regression":
        raise InputError(
            "Rows of a regression cannot be thinned by class.",
            next_step="remove rows.rarest_share from recipe.toml",
        )
    order = np.random.default_rng(seed).permutation(rows.height)
    sizes = rows.group_by(task.target).len()["len"]
    most = int(np.ceil(int(sizes.min()) / rarest_share))  # type: ignore[arg-type]
    drawn = rows.with_columns(pl.Series(ORDER, order))
    return drawn.filter(pl.col(ORDER).rank("ordinal").over(task.target) <= most).drop(ORDER)


def _relabelled(recipe: Recipe, rows: pl.DataFrame, task: Task, tools: Tools) -> pl.DataFrame:
    for artefact in recipe.rows.relabelled:
        labels = tools.table(artefact).select("row_id", task.target)
        rows = rows.update(labels.cast({task.target: rows.schema[task.target]}), on="row_id")
    return rows
