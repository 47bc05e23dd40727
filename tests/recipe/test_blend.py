"""Recipes of several models, adjusted predictions, thinned rows, raw columns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from assay.errors import InputError
from assay.recipe import (
    Estimator,
    Raw,
    Recipe,
    Rows,
    Tabular,
    Tools,
    fit_recipe,
    new_estimator,
    recipe_from_toml,
    recipe_to_toml,
    training_rows,
)
from assay.recipe.adjustment import Adjustment
from assay.task import ClassDescription, Task

CLASSES = tuple(ClassDescription(name=each) for each in ("no", "yes"))
TASK = Task(
    kind="binary", modality="tabular", target="bought", features=("size", "town"), classes=CLASSES
)
PRICE = Task(
    kind="regression", modality="tabular", target="price", features=("size", "town"), metric="mae"
)
COLUMNS = Tabular(columns=("size", "town"))


def no_tools(*_: object, **__: object) -> None:
    raise AssertionError


TOOLS = Tools(read_table=no_tools, embed=no_tools)  # type: ignore[arg-type]


def recipe(path: str, feature: Tabular | Raw = COLUMNS, **parameters: object) -> Recipe:
    return Recipe(features=(feature,), estimator=Estimator(path=path, parameters=parameters))


LINE = recipe("sklearn.linear_model.LogisticRegression")
TREE = recipe("sklearn.tree.DecisionTreeClassifier", max_depth=3)
SVM = recipe("sklearn.svm.LinearSVC")


def shop(rows: int = 300) -> pl.DataFrame:
    random = np.random.default_rng(0)
    size, town = random.normal(size=rows), random.choice(["Ulm", "Bern", "Linz"], rows)
    score = size + (town == "Ulm") + random.normal(size=rows) - 1.5
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(rows)],
            "size": size,
            "town": town,
            "bought": np.where(score > 0, "yes", "no"),
            "price": np.exp(size + 3),
        }
    )


def test_a_blend_is_the_weighted_mean_of_its_models() -> None:
    rows = shop()
    both = fit_recipe(LINE.blended_with((0.5, TREE)), rows, TASK, tools=TOOLS, seed=1)
    line, tree = (fit_recipe(each, rows, TASK, tools=TOOLS, seed=1) for each in (LINE, TREE))
    expected = (line.predict_proba(rows) + 0.5 * tree.predict_proba(rows)) / 1.5
    np.testing.assert_allclose(both.predict_proba(rows), expected)
    names = np.array(["no", "yes"], dtype=object)
    assert (both.predict(rows) == names[expected.argmax(axis=1)]).all()


def test_a_model_of_labels_alone_votes_in_a_blend() -> None:
    rows = shop()
    both = fit_recipe(LINE.blended_with((1.0, SVM)), rows, TASK, tools=TOOLS, seed=1)
    line, svm = (fit_recipe(each, rows, TASK, tools=TOOLS, seed=1) for each in (LINE, SVM))
    votes = np.column_stack([svm.predict(rows) == name for name in ("no", "yes")])
    np.testing.assert_allclose(both.predict_proba(rows), (line.predict_proba(rows) + votes) / 2)


def test_a_blend_is_read_back_from_its_text_and_older_recipes_keep_their_hash() -> None:
    edited = LINE.model_copy(update={"rarity": 0.5, "log_target": True})
    blend = edited.blended_with((0.25, TREE))
    assert recipe_from_toml(recipe_to_toml(blend)) == blend
    assert blend.hash != edited.hash != LINE.hash
    assert LINE.plain().keys() == {"format", "features", "estimator"}
    assert [each.estimator for _, each in blend.members] == [LINE.estimator, TREE.estimator]
    assert blend.all_features == (COLUMNS,)


def test_rarity_makes_the_rare_class_likelier() -> None:
    rows = shop().filter((pl.col("bought") == "no") | (pl.col("size") > 1.2))
    plain = fit_recipe(LINE, rows, TASK, tools=TOOLS, seed=0)
    raised = fit_recipe(LINE.model_copy(update={"rarity": 1.0}), rows, TASK, tools=TOOLS, seed=0)
    share = (rows["bought"] == "yes").mean()
    odds = plain.predict_proba(rows)[:, 1] / plain.predict_proba(rows)[:, 0]
    expected = odds * (1 - share) / share
    found = raised.predict_proba(rows)
    np.testing.assert_allclose(found[:, 1] / found[:, 0], expected)
    assert (raised.predict(rows) == "yes").sum() == (found[:, 1] > 0.5).sum()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_a_logarithm_of_the_target_is_undone(values: list[float]) -> None:
    targets = np.array(values)
    adjustment = Adjustment.of(LINE.model_copy(update={"log_target": True}), targets, PRICE)
    back = adjustment.values(adjustment.learned(targets))
    np.testing.assert_allclose(back, targets, rtol=1e-9, atol=1e-6)


def test_a_line_through_logarithms_follows_a_price_that_multiplies() -> None:
    rows = shop()
    ridge = recipe("sklearn.linear_model.Ridge")
    errors = []
    for each in (ridge, ridge.model_copy(update={"log_target": True})):
        model = fit_recipe(each, rows, PRICE, tools=TOOLS, seed=0)
        errors.append(np.abs(model.predict(rows) - rows["price"].to_numpy()).mean())
    assert errors[1] < errors[0] / 3


def test_rows_are_thinned_to_the_share_asked_for() -> None:
    rows = shop().filter((pl.col("bought") == "no") | (pl.col("size") > 1))
    rare = (rows["bought"] == "yes").sum()
    thinned = LINE.model_copy(update={"rows": Rows(rarest_share=0.5)})
    kept = training_rows(thinned, rows, TASK, TOOLS, seed=3).rows["bought"]
    assert ((kept == "yes").sum(), (kept == "no").sum()) == (rare, 2 * rare)
    with pytest.raises(InputError, match="cannot be thinned"):
        training_rows(thinned, rows, PRICE, TOOLS, seed=3)


class FrameReader(Ridge):
    """Reads columns by name."""

    def fit(self, table, values, sample_weight=None):  # type: ignore[no-untyped-def]
        return super().fit(table[["size"]], values)

    def predict(self, table):  # type: ignore[no-untyped-def]
        return super().predict(table[["size"]])


def test_raw_columns_reach_the_estimator_as_a_table() -> None:
    raw = recipe(f"{__name__}.FrameReader", Raw(columns=("size", "town")), alpha=0.1)
    model = fit_recipe(raw, shop(), PRICE, tools=TOOLS, seed=0)
    assert np.isfinite(model.predict(shop(5))).all()
    assert new_estimator(raw.estimator, 0).alpha == 0.1
    with pytest.raises(ValueError, match="beside no other"):
        Recipe(features=(Raw(columns=("size",)), COLUMNS), estimator=raw.estimator)


@pytest.mark.parametrize(
    "feature",
    [
        Tabular(columns=("x", "code"), categories="ordinal", missing="kept", scale=False),
        Tabular(columns=("x", "code"), missing="flagged", numbers="quantile"),
    ],
)
def test_tables_with_gaps_and_infinite_cells_are_encoded(feature: Tabular) -> None:
    rows = shop(200).with_columns(
        pl.Series("x", [float("inf"), None, -float("inf"), float("nan"), *range(196)]),
        pl.Series("code", [None, *[f"c{number % 7}" for number in range(199)]]),
    )
    task = TASK.model_copy(update={"features": ("x", "code")})
    forest = "sklearn.ensemble.HistGradientBoostingClassifier"
    model = fit_recipe(recipe(forest, feature), rows, task, tools=TOOLS, seed=0)
    assert np.isfinite(model.predict_proba(rows)).all()
    unseen = rows.head(3).with_columns(pl.lit("new").alias("code"))
    assert np.isfinite(model.predict_proba(unseen)).all()
