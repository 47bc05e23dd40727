"""What a project's recipe holds beside its columns and its estimator goes along in a search."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

from assay.experiment.search.space import Family, Values
from assay.recipe import Derived, Embedding, Feature, Recipe, Rows, Slice, new_estimator

LINES = ("sklearn.linear_model.", "sklearn.svm.Linear")
"""What learns weights: a slice's columns, given once more, say something to these alone."""


def carrying(families: tuple[Family, ...], baseline: Recipe) -> tuple[Family, ...]:
    """Return the families, whose recipes have what ``baseline`` has and they can read."""

    def upon(build: Callable[[Values], Recipe]) -> Callable[[Values], Recipe]:
        return lambda values: with_rows_of(baseline, _with_features_of(baseline, build(values)))

    return tuple(replace(each, build=upon(each.build)) for each in families)


def with_rows_of(baseline: Recipe, recipe: Recipe) -> Recipe:
    """Return ``recipe`` on the training rows of ``baseline``, thinned as it wants them itself.

    Where an estimator takes no row weights, all rows weigh alike, and none join that would not.
    """
    rows = baseline.rows
    if _weigh(rows) and not all(_takes_weights(each) for _, each in recipe.members):
        alike = tuple(each for each in rows.added if each.weight == 1)
        rows = rows.model_copy(update={"weighted": (), "added": alike})
    share = recipe.rows.rarest_share or rows.rarest_share
    return recipe.model_copy(update={"rows": rows.model_copy(update={"rarest_share": share})})


def told(baseline: Recipe, *, embeds: bool) -> list[str]:
    """Return in words what of ``baseline`` goes along in a search, and what does not.

    ``embeds`` is whether some families read embeddings anyway.
    """
    along = _counted("computed feature", len(_of(baseline, Derived)))
    along += _counted("slice", len(_of(baseline, Slice)))
    edited = baseline.rows != Rows()
    along += ["edits of the training rows"] if edited else []
    notes = [f"what is searched has the project's {', '.join(along)} too"] if along else []
    if _weigh(baseline.rows):
        notes.append("estimators that take no row weights are searched without the weights")
    alone = [] if embeds or not _of(baseline, Embedding) else ["embeddings"]
    alone += ["[decision]"] if baseline.decision is not None else []
    if alone:
        notes.append(f"only the project's own recipe has its {' and '.join(alone)}")
    return notes


def _with_features_of(baseline: Recipe, recipe: Recipe) -> Recipe:
    line = recipe.estimator.path.startswith(LINES)
    for each in _of(baseline, Derived, Slice):
        plain = isinstance(each, Slice) and not line
        recipe = recipe.with_feature(each.model_copy(update={"of": ()}) if plain else each)
    return recipe


def _of(baseline: Recipe, *kinds: type) -> list[Feature]:
    return [each for each in baseline.all_features if isinstance(each, kinds)]


def _weigh(rows: Rows) -> bool:
    return bool(rows.weighted) or any(each.weight != 1 for each in rows.added)


def _takes_weights(recipe: Recipe) -> bool:
    fit = type(new_estimator(recipe.estimator, 0)).fit
    return "sample_weight" in inspect.signature(fit).parameters


def _counted(what: str, count: int) -> list[str]:
    return [f"{count} {what}{'s' if count > 1 else ''}"] if count else []
