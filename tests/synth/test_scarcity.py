from __future__ import annotations

import polars as pl
import pytest

from assay.recipe import Recipe, baseline_recipe
from assay.synth.scarcity import MANY, up_to_balance
from assay.synth.unmade import remedies
from assay.task import Task
from newsroom import TASK as NEWS
from synth.tables_made_up import TASK, customers


def of_sizes(common: int, rare: int) -> pl.DataFrame:
    return pl.DataFrame({"class": ["common"] * common + ["rare"] * rare})


@pytest.mark.parametrize(
    ("common", "rare", "doses"),
    [
        (300, 20, (1.0, 4.0, 14.0)),
        (80, 20, (1.0, 4.0)),
        (5_000, 10, (1.0, 4.0, 100.0)),
        (MANY + 600, 500, (1.0, 4.0)),
        (20, 0, (1.0, 4.0)),
    ],
)
def test_doses_reach_balance_where_that_is_more_and_not_too_many(
    common: int, rare: int, doses: tuple[float, ...]
) -> None:
    assert up_to_balance((1.0, 4.0), of_sizes(common, rare), TASK, "rare") == doses


@pytest.mark.parametrize(
    ("own", "doses"),
    [(5_400, (0.5, 1.0, 2.0)), (30_000, (0.5,)), (60_000, (0.3333,)), (20_000, (0.5, 1.0))],
)
@pytest.mark.parametrize("name", ["rare", None])
def test_no_dose_that_nobody_asked_for_makes_very_many_rows(
    own: int, doses: tuple[float, ...], name: str | None
) -> None:
    rows = of_sizes(own if name else 0, own)
    found = up_to_balance((0.5, 1.0, 2.0, 4.0), rows, TASK, name)
    assert found == doses
    assert max(found) * own <= MANY


def test_a_whole_table_has_no_balance() -> None:
    assert up_to_balance((1.0,), customers(20), TASK, None) == (1.0,)


def with_metric(metric: str) -> Task:
    return TASK.model_copy(update={"metric": metric})


def names(metric: str, recipe: Recipe) -> list[str]:
    return [each.method for each in remedies(recipe, with_metric(metric))]


def test_remedies_without_made_rows_are_those_that_could_change_the_metric() -> None:
    recipe = baseline_recipe(TASK)
    assert names("macro_f1", recipe) == ["class weights", "threshold moved"]
    assert names("auc", recipe) == names("average_precision", recipe) == ["class weights"]


def test_a_moved_threshold_leads_where_every_class_counts_the_same() -> None:
    recipe = baseline_recipe(TASK)
    assert [each.leads for each in remedies(recipe, with_metric("balanced_accuracy"))] == [0, 1]
    assert not any(each.leads for each in remedies(recipe, with_metric("macro_f1")))


def test_class_weights_lead_on_texts_under_macro_f1() -> None:
    task = NEWS.model_copy(update={"metric": "macro_f1"})
    assert [each.leads for each in remedies(baseline_recipe(task), task)] == [1, 0]
    accurate = NEWS.model_copy(update={"metric": "accuracy"})
    assert not any(each.leads for each in remedies(baseline_recipe(accurate), accurate))


def test_a_remedy_takes_the_place_of_the_other() -> None:
    recipe = baseline_recipe(TASK)
    weights, moved = remedies(recipe, with_metric("macro_f1"))
    assert moved.apply(weights.apply(recipe)) == moved.apply(recipe)
    assert weights.apply(moved.apply(recipe)) == weights.apply(recipe)


def test_a_remedy_takes_the_place_of_the_other_where_the_recipe_has_that_one() -> None:
    recipe, task = baseline_recipe(TASK), with_metric("macro_f1")
    weights, moved = (each.apply(recipe) for each in remedies(recipe, task))
    (after,) = remedies(weights, task)
    assert after.apply(weights) == moved
    (after,) = remedies(moved, task)
    assert after.apply(moved) == weights


def test_a_remedy_in_place_already_is_not_tried_again() -> None:
    recipe = baseline_recipe(TASK)
    for each in remedies(recipe, with_metric("macro_f1")):
        assert each.method not in names("macro_f1", each.apply(recipe))
    unweighable = recipe.with_estimator("sklearn.neighbors.KNeighborsClassifier")
    assert names("macro_f1", unweighable) == ["threshold moved"]
