"""Tables with texts in them: the words are read beside the columns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_limits

from assay.errors import InputError
from assay.experiment.order import Order, first_entrants, without_columns
from assay.experiment.plan.spec import Try
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.families import families_for
from assay.recipe import (
    Recipe,
    Tools,
    baseline_recipe,
    fit_recipe,
    recipe_from_toml,
    recipe_to_toml,
)
from assay.recipe.features import FeatureUnion
from assay.tables import infer_task
from assay.task import Task

TOOLS = Tools(read_table=print, embed=print)  # type: ignore[arg-type]
MIXED = ("columns_and_words", "boosted_columns_and_words")


def orders(rows: int, *, numbers: bool = False) -> pl.DataFrame:
    """Return orders that are sent back by their weight and one of eight words in 400."""
    random = np.random.default_rng(4)
    vocabulary = np.array([f"word{number}" for number in range(400)])
    notes = random.choice(vocabulary, (rows, 12))
    weight = random.normal(size=rows)
    score = 2 * weight + 3 * np.isin(notes, vocabulary[:8]).sum(axis=1) - 0.7
    back = np.where(score + random.normal(size=rows) / 2 > 0, "back", "kept")
    return pl.DataFrame(
        {
            "row_id": [str(number) for number in range(rows)],
            "weight": weight,
            "town": random.choice(["Ulm", "Bern"], rows),
            "colour": random.choice(["red", "blue"], rows),
            "note": [" ".join(each) for each in notes],
            "sent": score if numbers else back,
        }
    )


def found(numbers: bool) -> tuple[pl.DataFrame, Task, dict[str, Recipe]]:
    rows = orders(1200, numbers=numbers)
    task = infer_task(rows, "sent").task
    families = families_for(Circumstances.of(task, rows), MIXED)
    return rows, task, {each.name: each.build(each.defaults[0]) for each in families}


def right(recipe: Recipe, rows: pl.DataFrame, task: Task) -> float:
    """Return the share of right classes, or the share of variance explained."""
    train, test = rows[:800], rows[800:]
    with threadpool_limits(1):  # as in a search; threads would wait on each other beside others
        said = fit_recipe(recipe, train, task, tools=TOOLS, seed=0).predict(test)
    truth = test[task.target].to_numpy()
    if task.kind == "regression":
        return float(1 - np.mean((said - truth) ** 2) / np.var(truth))
    return float(np.mean(said == truth))


@pytest.mark.parametrize("numbers", [False, True])
def test_words_in_a_column_of_a_table_are_found(numbers: bool) -> None:
    rows, task, recipes = found(numbers)
    assert set(recipes) == set(MIXED)
    pieces = right(baseline_recipe(task), rows, task)
    for recipe in recipes.values():
        assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
        assert right(recipe, rows, task) > pieces + 0.03


def test_families_of_texts_are_passed_over_where_the_texts_are_left_out() -> None:
    rows = orders(200)
    task = infer_task(rows, "sent").task
    seen = Circumstances.of(task, rows, without=("note",))
    assert [each.name for each in families_for(seen, ("linear", *MIXED))] == ["linear"]
    with pytest.raises(InputError, match="no column that is read holds texts"):
        families_for(seen, MIXED)
    with pytest.raises(InputError, match="no such family"):
        families_for(seen, ("words", "linear"))


def test_a_recipe_of_columns_and_words_whose_columns_are_left_out_reads_the_words() -> None:
    rows, task, recipes = found(numbers=False)
    left = without_columns(recipes[MIXED[0]], ("weight", "town", "colour"))
    assert right(left, rows, task) > 0.5


def test_a_plans_try_that_names_a_few_values_has_defaults_for_the_others() -> None:
    rows, task, recipes = found(numbers=False)
    families = families_for(Circumstances.of(task, rows), MIXED)
    order = Order(tries=(Try(family=MIXED[0], values={"C": 0.5}),))
    planned = first_entrants(order, baseline_recipe(task), families, task)[1]
    assert planned.origin == "plan"
    default = recipes[MIXED[0]]
    parameters = {**default.estimator.parameters, "C": 0.5}
    estimator = default.estimator.model_copy(update={"parameters": parameters})
    assert planned.recipe == default.model_copy(update={"estimator": estimator})


def test_a_table_without_texts_has_no_such_family() -> None:
    rows = orders(200).with_columns(note=pl.col("town"))
    task = infer_task(rows, "sent").task
    names = [each.name for each in families_for(Circumstances.of(task, rows))]
    assert not set(names) & set(MIXED)


def test_a_text_that_is_left_out_is_not_read() -> None:
    rows = orders(200)
    task = infer_task(rows, "sent").task
    assert Circumstances.of(task, rows).texts == ("note",)
    assert Circumstances.of(task, rows, without=("note",)).texts == ()


def test_pieces_of_words_are_the_same_every_time() -> None:
    rows = orders(300)
    task = infer_task(rows, "sent").task
    (feature,) = baseline_recipe(task).features
    once, again = (FeatureUnion((feature,), TOOLS).fit_transform(rows) for _ in range(2))
    np.testing.assert_array_equal(once, again)
