"""Words that are left out of a text, copies of one label, and models that are held back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.diagnose.strategies.recipes import (
    with_copies,
    with_strength,
    without_column,
    without_word,
)
from assay.recipe import (
    Embedding,
    Recipe,
    Tabular,
    Tfidf,
    Tools,
    baseline_recipe,
    fit_recipe,
    recipe_from_toml,
    recipe_to_toml,
    training_rows,
)
from assay.recipe.features import FeatureUnion
from assay.tables import infer_task


def embed(model: str, texts: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """Say of each text how long it is."""
    return np.array([[len(each), 1.0] for each in texts])


def _nothing(*names: object) -> Any:
    raise AssertionError(f"no table is to be read: {names}")


TOOLS = Tools(read_table=_nothing, embed=embed)


def reviews() -> pl.DataFrame:
    texts = ["Good film", "good, a FILM", "bad plot", "a plot, bad", "goodness me", "bad badly"]
    labels = ["yes", "yes", "no", "no", "yes", "no"]
    return pl.DataFrame({"text": texts, "y": labels}).with_row_index("row_id")


def test_a_word_is_left_out_whole_and_in_any_case() -> None:
    rows = reviews()
    task = infer_task(rows.drop("row_id"), "y", text="text").task
    recipe = without_word(without_word(baseline_recipe(task), "text", "good"), "text", "BAD")
    (feature,) = recipe.features
    assert isinstance(feature, Tfidf)
    assert feature.without == ("bad", "good")
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    model: Any = fit_recipe(recipe, rows, task, tools=TOOLS, seed=0)
    said = model.predict_proba(pl.DataFrame({"text": ["film", "good film", "GOOD! film"]}))
    assert np.ptp(said, axis=0).max() == 0, "it tells no text with the word from one without"
    encoder = FeatureUnion((Embedding(column="text", without=("good",)),), TOOLS)
    lengths = encoder.fit_transform(pl.DataFrame({"text": ["goodness me", "good me", None]}))[:, 0]
    assert lengths.tolist() == [11, 4, 0]
    assert without_word(recipe, "other", "good") == recipe
    with pytest.raises(ValueError, match="empty word"):
        Tfidf(column="text", without=(" ",))


def test_blended_models_are_edited_too_and_none_is_left_without_a_feature() -> None:
    base = Recipe.model_validate(
        {"features": [Tabular(columns=("a", "b"))], "estimator": {"path": "sklearn.svm.SVC"}}
    )
    other = base.with_features(Tabular(columns=("a",)))
    left = without_column(base.blended_with((1.0, other)), "a")
    assert left.features == (Tabular(columns=("b",)),)
    assert left.blend[0].features == (Tabular(columns=("a",)),), "it reads nothing else"


@pytest.mark.parametrize(("copies", "count"), [("agreed", 7), ("one", 4)])
def test_copies_get_their_commonest_label(copies: Any, count: int) -> None:
    texts = ["A b!", "a  b", "a b", "c", "d", "d", "e"]
    rows = pl.DataFrame({"text": texts, "y": ["no", "yes", "yes", "no", "no", "yes", "yes"]})
    task = infer_task(rows, "y", text="text").task
    recipe = with_copies(baseline_recipe(task), copies)
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    numbered = rows.with_row_index("row_id")
    trained = training_rows(recipe, numbered, task, TOOLS, 0).rows
    assert trained.height == count
    told = dict(zip(trained["text"].to_list(), trained["y"].to_list(), strict=True))
    assert told["A b!"] == "yes"
    assert told["d"] == "no", "of a tie the first"
    plain = training_rows(baseline_recipe(task), numbered, task, TOOLS, 0).rows
    assert plain["y"].to_list() == rows["y"].to_list()


def test_copies_of_a_regression_get_their_mean() -> None:
    rows = pl.DataFrame({"x": [1.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.5, 0.5]})
    task = infer_task(rows, "y", kind="regression").task
    recipe = with_copies(baseline_recipe(task), "one")
    trained = training_rows(recipe, rows.with_row_index("row_id"), task, TOOLS, 0).rows
    assert trained["y"].to_list() == [2.0, 5.5, 0.5]


@pytest.mark.parametrize(
    ("path", "name", "stronger", "weaker"),
    [
        ("sklearn.linear_model.LogisticRegression", "C", 0.1, 10.0),
        ("sklearn.linear_model.Ridge", "alpha", 10.0, 0.1),
        ("sklearn.ensemble.HistGradientBoostingClassifier", "max_leaf_nodes", 3, 310),
        ("sklearn.ensemble.RandomForestClassifier", "min_samples_leaf", 10, 1),
        ("sklearn.naive_bayes.GaussianNB", "var_smoothing", None, None),
    ],
)
def test_a_model_is_held_back_by_the_parameter_that_it_has(
    path: str, name: str, stronger: float | None, weaker: float | None
) -> None:
    base = Recipe.model_validate(
        {"features": [Tabular(columns=("a",))], "estimator": {"path": path}}
    )
    assert with_strength(base, 10).estimator.parameters.get(name) == stronger
    assert with_strength(base, 0.1).estimator.parameters.get(name) == weaker
