from __future__ import annotations

import polars as pl
import pytest

from assay.recipe import baseline_recipe
from assay.synth.scarcity import MANY, up_to_balance
from assay.synth.unmade import remedies
from assay.task import Task
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


def test_a_whole_table_has_no_balance() -> None:
    assert up_to_balance((1.0,), customers(20), TASK, None) == (1.0,)


def with_metric(metric: str) -> Task:
    return TASK.model_copy(update={"metric": metric})


def test_remedies_without_made_rows_are_those_that_could_change_the_metric() -> None:
    recipe = baseline_recipe(TASK)
    assert list(remedies(recipe, with_metric("macro_f1"))) == ["class weights", "threshold moved"]
    assert list(remedies(recipe, with_metric("auc"))) == ["class weights"]


def test_a_remedy_in_place_already_is_not_tried_again() -> None:
    task = with_metric("macro_f1")
    recipe = baseline_recipe(task)
    for name, each in remedies(recipe, task).items():
        assert name not in remedies(each, task)
    unweighable = recipe.with_estimator("sklearn.neighbors.KNeighborsClassifier")
    assert list(remedies(unweighable, task)) == ["threshold moved"]
