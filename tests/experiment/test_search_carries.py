"""What the loop has kept is not lost by a search."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assay import Project
from assay.experiment import circumspection
from assay.experiment.order import Order, own_model
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.families import families_for, portfolio
from assay.experiment.source import _in_place_by
from assay.recipe import (
    AddedRows,
    Derived,
    Embedding,
    Estimator,
    Recipe,
    Rows,
    Slice,
    Tabular,
    Tools,
    Weighted,
    Where,
    fit_recipe,
    recipe_from_toml,
    recipe_to_toml,
)
from assay.recipe.spec import Mended
from assay.task import ClassDescription, Task
from troublesome import shop

TASK = Task(
    kind="binary",
    modality="tabular",
    target="bought",
    features=("size", "age", "town"),
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)
COLUMNS = Tabular(columns=("size", "age", "town"))
PER_YEAR = Derived(
    name="size per year",
    columns=("size", "age"),
    code="def feature(rows, seen):\n    return rows['size'] / (rows['age'] + 1)",
)
OLD = Slice(where=(Where(column="age", operator=">", value=0.5),), of=(Tabular(columns=("size",)),))
HEAVY = Weighted(where=OLD.where, factor=3)
KEPT = Recipe(
    rows=Rows(weighted=(HEAVY,), mended=(Mended(features=(COLUMNS,)),), rarest_share=0.3),
    features=(COLUMNS, PER_YEAR, OLD),
    estimator=Estimator(path="sklearn.linear_model.LogisticRegression"),
)


def no_tools(*_: object, **__: object) -> None:
    raise AssertionError


TOOLS = Tools(read_table=no_tools, embed=no_tools)  # type: ignore[arg-type]


def test_every_default_has_what_the_project_keeps_and_can_be_built() -> None:
    rows = shop(120).with_row_index("row_id").cast({"row_id": pl.String})
    seen = Circumstances.of(TASK, rows, baseline=KEPT)
    for family, values in portfolio(families_for(seen)):
        recipe = family.build(values)
        assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
        line = family.name == "linear"
        flag = OLD if line else OLD.model_copy(update={"of": ()})
        assert recipe.features[1:] == (PER_YEAR, flag), family.name
        assert recipe.rows.mended == KEPT.rows.mended
        assert recipe.rows.rarest_share == 0.3
        weighs = family.name not in ("neighbours", "prior_fitted")
        if family.name != "network":  # of which newer releases take weights
            assert (recipe.rows.weighted == (HEAVY,)) is weighs, family.name
        if family.name in ("linear", "boosting", "neighbours"):
            assert len(fit_recipe(recipe, rows, TASK, tools=TOOLS, seed=0).predict(rows)) == 120


def test_a_recipe_found_is_proposed_as_it_was_judged() -> None:
    thin = KEPT.model_copy(update={"rows": KEPT.rows.model_copy(update={"rarest_share": 0.5})})
    assert _in_place_by(thin)(KEPT).rows == thin.rows
    near = KEPT.with_estimator("sklearn.neighbors.KNeighborsClassifier")
    light = AddedRows(votes="artefact-1", weight=0.5)
    assert not _in_place_by(near)(KEPT.with_added(light)).rows.added
    assert not _in_place_by(near)(KEPT).rows.weighted, "its estimator takes no weights"
    assert own_model(KEPT, near.estimator, TASK).rows == _in_place_by(near)(KEPT).rows


def test_what_goes_along_and_what_does_not_is_told(tmp_path: Path) -> None:
    made = Project.create(tmp_path / "shop", shop(600), target="bought", metric="macro_f1")
    made.save_recipe(KEPT.with_threshold("macro_f1").with_feature(Embedding(column="town")))
    opened = Project.open(made.path)
    with pytest.MonkeyPatch.context() as patched, made.gateway() as gateway:
        patched.setattr(circumspection, "prepare", lambda *_: None)
        seen = circumspection.look(opened, Order(), Tools.of(made.ledger(), gateway))
    assert seen.notes == [
        "what is searched has the project's 1 computed feature, 1 slice, edits of the training "
        "rows too",
        "estimators that take no row weights are searched without the weights",
        "only the project's own recipe has its embeddings and [decision]",
    ]
