"""Rows are made inside each fold: what a judged row looks like stays unknown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.recipe import (
    Made,
    Tools,
    baseline_recipe,
    recipe_from_toml,
    recipe_to_toml,
    run_trial,
    training_rows,
)
from assay.recipe.spec import Rows
from assay.synth.tabular import made_rows
from synth.tables_made_up import TASK, customers

MAKER = "assay.synth.tabular.made_rows"


def unused(*_: object) -> pl.DataFrame:
    raise AssertionError("nothing is read or embedded")


TOOLS = Tools(unused, unused)  # type: ignore[arg-type]


def with_made(method: str, dose: float = 1.0, path: str = MAKER):
    made = Made(path=path, class_name="rare", dose=dose, parameters={"method": method})
    return baseline_recipe(TASK).with_made(made)


def test_rows_are_made_from_the_rows_at_hand_alone():
    rows = customers(gaps=False)
    trained = training_rows(with_made("smote", 2.0), rows, TASK, TOOLS, seed=0).rows
    rare = rows.filter(pl.col("class") == "rare").height
    assert trained.height == rows.height + 2 * rare
    other = rows.with_columns(age=pl.lit(20, pl.Int64)).tail(60)
    one, two = (
        training_rows(with_made("forest"), rows.head(240), TASK, TOOLS, 0, judged=judged).rows
        for judged in (rows.tail(60), other)
    )
    assert one.equals(two)


def test_the_text_of_a_recipe_keeps_how_rows_are_made():
    recipe = with_made("copula", 0.5)
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    assert recipe.hash != baseline_recipe(TASK).hash


def test_nothing_is_made_of_a_class_with_one_row():
    rows = customers(gaps=False)
    few = pl.concat([rows.filter(pl.col("class") == "common"),
                     rows.filter(pl.col("class") == "rare").head(1)])  # fmt: skip
    assert training_rows(with_made("smote"), few, TASK, TOOLS, 0).rows.height == few.height


@pytest.mark.parametrize(
    ("path", "method", "message"),
    [
        ("assay.synth.absent.made_rows", "smote", "cannot be imported"),
        ("assay.synth.tabular.METHODS", "smote", "cannot be imported"),
        (MAKER, "guess", "method is not known"),
        ("assay.synth.tabular.making.Encoding", "smote", "refuses its parameters"),
    ],
)
def test_a_maker_that_does_not_work_is_named(path, method, message):
    recipe = with_made(method, path=path)
    with pytest.raises(InputError, match=message):
        training_rows(recipe, customers(), TASK, TOOLS, 0)


def noise(seed: int) -> pl.DataFrame:
    """Two numbers that say nothing of the class."""
    random = np.random.default_rng(seed)
    rare = random.permutation(np.arange(120) < 40)
    return pl.DataFrame(random.normal(size=(120, 4)), schema=list("abcd")).with_columns(
        pl.Series("row_id", [f"r{i}" for i in range(120)]),
        pl.Series("class", np.where(rare, "rare", "common")),
    )


@pytest.mark.slow
def test_where_nothing_can_be_learned_only_rows_made_of_all_rows_seem_to_help():
    """The reason for :class:`assay.recipe.Made`: SMOTE's second parent is a judged row."""
    task = TASK.model_copy(update={"features": tuple("abcd")})
    plain = baseline_recipe(task).with_estimator(
        "sklearn.neighbors.KNeighborsClassifier", n_neighbors=3
    )
    gains = {"inside": [], "outside": []}
    for seed in range(4):
        rows = noise(seed)
        table = made_rows(rows, task, method="smote", class_name="rare", count=160, seed=seed)
        tools = Tools(lambda _, table=table: table, unused)  # type: ignore[arg-type]
        made = Made(path=MAKER, class_name="rare", dose=4, parameters={"method": "smote"})
        for name, edited in (
            ("inside", plain.with_made(made)),
            ("outside", plain.model_copy(update={"rows": Rows(extra=("table",))})),
        ):
            trial = run_trial(plain, edited, rows, task, tools=tools, seed=seed, repeats=1)
            gains[name].append(trial.gain.estimate)
    assert np.mean(gains["outside"]) > 0.1
    assert abs(np.mean(gains["inside"])) < 0.06
