from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.recipe import (
    AddedRows,
    Embedding,
    Estimator,
    Recipe,
    Rows,
    Tabular,
    Tfidf,
    Tools,
    baseline_recipe,
    fit_recipe,
    training_rows,
)
from assay.task import ClassDescription, Task
from newsroom import TASK, WORDS, newsroom, topic_counts

ROWS = newsroom(120, seed=1)


def scripted_embed(model: str, texts: Sequence[str], **_: object) -> np.ndarray:
    """Embed a text as how many of its words belong to each topic."""
    return topic_counts(texts)


def tools(**tables: pl.DataFrame) -> Tools:
    return Tools(read_table=lambda name: tables[name], embed=scripted_embed)


def test_building_is_deterministic_for_a_seed() -> None:
    recipe = baseline_recipe(TASK).with_estimator(
        "sklearn.ensemble.ExtraTreesClassifier", n_estimators=10
    )
    first, second, other = (
        fit_recipe(recipe, ROWS[:60], TASK, tools=tools(), seed=seed).predict_proba(ROWS[60:])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_probabilities_follow_the_order_of_the_task_even_when_a_class_is_absent() -> None:
    without_money = ROWS.filter(pl.col("topic") != "money")
    model = fit_recipe(baseline_recipe(TASK), without_money, TASK, tools=tools(), seed=0)
    probabilities = model.predict_proba(ROWS)
    assert probabilities.shape == (120, 3)
    np.testing.assert_array_equal(probabilities[:, 1], 0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert set(model.predict(ROWS)) <= {"farm", "sport"}


def test_every_kind_of_feature_can_stand_beside_the_others() -> None:
    recipe = baseline_recipe(TASK).with_features(
        Tfidf(column="text"), Embedding(column="text", model="scripted:topics")
    )
    model = fit_recipe(recipe, ROWS, TASK, tools=tools(), seed=0)
    assert np.mean(model.predict(ROWS) == ROWS["topic"].to_numpy()) > 0.9


def test_an_embedding_is_computed_once_for_each_text() -> None:
    asked: list[str] = []

    def embed(model: str, texts: Sequence[str], **_: object) -> np.ndarray:
        asked.extend(texts)
        return scripted_embed(model, texts)

    shared = Tools(read_table=lambda name: pl.DataFrame(), embed=embed)
    recipe = baseline_recipe(TASK).with_features(Embedding(column="text"))
    for seed in (0, 1):
        fit_recipe(recipe, ROWS, TASK, tools=shared, seed=seed).predict(ROWS)
    assert len(asked) == len(set(asked)) == ROWS["text"].n_unique()


def test_rows_are_dropped_relabelled_and_appended_by_artefact() -> None:
    recipe = baseline_recipe(TASK).model_copy(
        update={"rows": Rows(dropped=("drop",), relabelled=("relabel",), extra=("extra",))}
    )
    tables = {
        "drop": pl.DataFrame({"row_id": ["r0", "r1"]}),
        "relabel": pl.DataFrame({"row_id": ["r2"], "topic": ["sport"]}),
        "extra": pl.DataFrame({"text": ["wheat wheat"], "topic": ["farm"]}),
    }
    found = training_rows(recipe, ROWS, TASK, tools(**tables), seed=0)
    assert found.rows.height == 120 - 2 + 1
    assert found.rows[0, "topic"] == "sport"
    assert found.rows[0, "text"] == ROWS[2, "text"]
    assert found.rows[-1, "text"] == "wheat wheat"


def votes_for(labelled: pl.DataFrame, unlabelled: pl.DataFrame) -> pl.DataFrame:
    rows = pl.concat(
        [
            labelled.select("row_id", "text").with_columns(unlabelled=pl.lit(False)),
            unlabelled.select("row_id", "text").with_columns(unlabelled=pl.lit(True)),
        ]
    )
    scores = scripted_embed("", rows["text"].to_list()) + 0.1
    scores = scores / scores.sum(axis=1, keepdims=True)
    return rows.with_columns(
        pl.Series(f"vote:scripted:{name}", scores[:, code]) for code, name in enumerate(WORDS)
    )


def test_confident_votes_join_the_training_rows_and_are_mostly_right() -> None:
    pool = newsroom(200, seed=2, prefix="p")
    recipe = baseline_recipe(TASK).with_added(
        AddedRows(votes="votes", min_confidence=0.8, weight=0.5)
    )
    found = training_rows(recipe, ROWS, TASK, tools(votes=votes_for(ROWS, pool)), seed=0)
    added = found.rows[120:]
    assert 50 < added.height < 200
    assert set(found.weights[120:]) == {0.5}
    truth = pool.select("text", truth="topic").unique("text")
    joined = added.join(truth, on="text")
    assert (joined["topic"] == joined["truth"]).mean() > 0.9  # type: ignore[operator]


def test_votes_are_weighed_by_the_rows_at_hand_alone() -> None:
    """Flipping the labels of rows outside the fold changes nothing inside it."""
    pool = newsroom(80, seed=3, prefix="p")
    votes = votes_for(ROWS, pool)
    recipe = baseline_recipe(TASK).with_added(AddedRows(votes="votes", min_confidence=0.5))
    fold = ROWS.head(60)
    first = training_rows(recipe, fold, TASK, tools(votes=votes), seed=0)
    assert "topic" not in votes.columns
    assert not set(first.rows[60:]["text"]) - set(pool["text"])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (Estimator(path="sklearn.linear_model.LogisticRegresion"), "cannot be imported"),
        (Estimator(path="no_such_package.Model"), r"No module named.*its folder in PYTHONPATH"),
        (Estimator(path="LogisticRegression"), "cannot be imported"),
        (Estimator(path="os.system"), "not a class with fit"),
        (Estimator(path="sklearn.svm.LinearSVC", parameters={"c": 1}), "no parameter 'c'"),
        (Estimator(path="sklearn.svm.LinearSVC", parameters={"C": -1}), "could not be fitted"),
    ],
)
def test_an_unusable_estimator_is_refused(estimator: Estimator, message: str) -> None:
    recipe = Recipe(features=(Tfidf(column="text"),), estimator=estimator)
    with pytest.raises(InputError, match=message):
        fit_recipe(recipe, ROWS, TASK, tools=tools(), seed=0)


def test_a_missing_column_and_an_unknown_label_are_named() -> None:
    with pytest.raises(InputError, match="'body'"):
        fit_recipe(
            baseline_recipe(TASK).with_features(Tfidf(column="body")),
            ROWS,
            TASK,
            tools=tools(),
            seed=0,
        )
    odd = ROWS.with_columns(topic=pl.lit("weather"))
    with pytest.raises(InputError, match="weather"):
        fit_recipe(baseline_recipe(TASK), odd, TASK, tools=tools(), seed=0)


def test_an_estimator_without_weights_refuses_weighted_rows() -> None:
    pool = newsroom(50, seed=4, prefix="p")
    recipe = (
        baseline_recipe(TASK)
        .with_estimator("sklearn.neighbors.KNeighborsClassifier")
        .with_added(AddedRows(votes="votes", min_confidence=0.5, weight=0.5))
    )
    with pytest.raises(InputError, match="row weights"):
        fit_recipe(recipe, ROWS, TASK, tools=tools(votes=votes_for(ROWS, pool)), seed=0)


def test_a_label_only_estimator_predicts_labels_but_no_probabilities() -> None:
    recipe = baseline_recipe(TASK).with_estimator("sklearn.svm.LinearSVC")
    model = fit_recipe(recipe, ROWS, TASK, tools=tools(), seed=0)
    assert model.predictions(ROWS, probabilities=False).shape == (120,)
    with pytest.raises(InputError, match="no probabilities"):
        model.predictions(ROWS)


def test_a_class_of_ones_own_is_given_dense_texts() -> None:
    recipe = baseline_recipe(TASK).with_estimator("troublesome.Plain")
    model = fit_recipe(recipe, ROWS, TASK, tools=tools(), seed=0)
    assert len(set(model.predict(ROWS))) == 1


def mixed_table() -> tuple[pl.DataFrame, Task]:
    random = np.random.default_rng(0)
    size = random.normal(size=200)
    colour = random.choice(["red", "green", None], size=200)
    price = 3 * size + (colour == "red") + random.normal(scale=0.1, size=200)
    rows = pl.DataFrame(
        {
            "row_id": [str(number) for number in range(200)],
            "size": size,
            "colour": colour.tolist(),
            "empty": [None] * 200,
            "price": price,
        },
        schema_overrides={"empty": pl.Float64},
    )
    task = Task(
        kind="regression",
        modality="tabular",
        target="price",
        features=("size", "colour", "empty"),
        metric="mae",
    )
    return rows, task


def test_a_table_with_numbers_categories_and_gaps_is_encoded() -> None:
    rows, task = mixed_table()
    model = fit_recipe(baseline_recipe(task), rows, task, tools=tools(), seed=0)
    error = np.abs(model.predict(rows) - rows["price"].to_numpy()).mean()
    assert error < 0.2


def test_a_column_of_predictions_is_read_and_another_shape_refused() -> None:
    rows, task = mixed_table()
    recipe = baseline_recipe(task).with_estimator("troublesome.PredictsColumn")
    found = fit_recipe(recipe, rows, task, tools=tools(), seed=0).predict(rows)
    plain = recipe.with_estimator("sklearn.linear_model.LinearRegression")
    expected = fit_recipe(plain, rows, task, tools=tools(), seed=0).predict(rows)
    np.testing.assert_allclose(found, expected)
    twice = recipe.with_estimator("troublesome.PredictsTwice")
    with pytest.raises(InputError, match=r"wrong shape.*\(200, 2\).*\(200,\)"):
        fit_recipe(twice, rows, task, tools=tools(), seed=0).predict(rows)


def test_shares_are_neither_codes_nor_probabilities_of_every_class() -> None:
    recipe = baseline_recipe(TASK).with_estimator("troublesome.PredictsShares")
    model = fit_recipe(recipe, ROWS, TASK, tools=tools(), seed=0)
    with pytest.raises(InputError, match=r"codes of classes.*0 to 2"):
        model.predict(ROWS)
    with pytest.raises(InputError, match=r"predict_proba.*wrong shape.*\(120, 3\)"):
        model.predict_proba(ROWS)


def test_a_binary_task_keeps_its_two_classes_in_order() -> None:
    task = TASK.model_copy(
        update={
            "kind": "binary",
            "classes": (ClassDescription(name="farm"), ClassDescription(name="sport")),
        }
    )
    rows = ROWS.filter(pl.col("topic") != "money")
    model = fit_recipe(baseline_recipe(task), rows, task, tools=tools(), seed=0)
    likely_sport = model.predict_proba(rows)[:, 1] > 0.5
    assert np.mean(likely_sport == (rows["topic"].to_numpy() == "sport")) > 0.9


def test_tabular_feature_names_its_missing_column() -> None:
    rows, task = mixed_table()
    recipe = baseline_recipe(task).with_features(Tabular(columns=("size", "weight")))
    with pytest.raises(InputError, match="'weight'"):
        fit_recipe(recipe, rows, task, tools=tools(), seed=0)
