from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.synth.tabular import METHODS, made_rows
from assay.synth.tabular.encoding import Encoding
from assay.task import Task
from synth.tables_made_up import FEATURES, TASK, customers


@pytest.mark.parametrize("method", METHODS)
def test_a_made_row_keeps_every_type_and_lies_within_what_was_seen(method):
    rows = customers()
    made = made_rows(rows, TASK, method=method, class_name="rare", count=60, seed=3)
    real = rows.filter(pl.col("class") == "rare")
    assert made.height == 60
    assert made.columns == [*FEATURES, "class", "made_from", "made_by", "synthetic_id"]
    assert made.select(*FEATURES, "class").schema == rows.select(*FEATURES, "class").schema
    assert made["class"].unique().to_list() == ["rare"]
    assert made["synthetic_id"].n_unique() == 60
    for name in ("age", "income", "opened"):
        assert made[name].min() >= real[name].min()
        assert made[name].max() <= real[name].max()
    assert set(made["region"]) <= set(real["region"])
    cents = made["income"].drop_nulls() * 100
    assert np.allclose(cents, cents.round())
    assert made["income"].null_count() > 0


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_makes_the_same_rows_and_another_seed_others(method):
    rows = customers(80)
    make = [made_rows(rows, TASK, method=method, class_name="rare", count=20, seed=seed)
            for seed in (1, 1, 2)]  # fmt: skip
    assert make[0].equals(make[1])
    assert not make[0].equals(make[2])


@pytest.mark.parametrize("method", ["forest", "copula"])
def test_the_joint_distribution_is_learned(method):
    rows = customers(600, gaps=False)
    features = ("age", "opened", "region")
    task = Task(
        kind="regression", modality="tabular", target="income", features=features, metric="mae"
    )
    made = made_rows(rows, task, method=method, class_name=None, count=600, seed=0)
    real = np.corrcoef(rows["age"], rows["income"])[0, 1]
    new = np.corrcoef(made["age"], made["income"])[0, 1]
    assert new == pytest.approx(real, abs=0.12)
    assert made["age"].mean() == pytest.approx(rows["age"].mean(), rel=0.05)
    assert made["age"].std() == pytest.approx(rows["age"].std(), rel=0.15)
    north = [(table["region"] == "north").mean() for table in (rows, made)]
    assert north[0] == pytest.approx(north[1], abs=0.08)


def test_forest_learns_what_a_copula_cannot():
    random = np.random.default_rng(0)
    side = random.choice([-1.0, 1.0], 500)
    other = side * random.choice([-1.0, 1.0], 500)
    rows = pl.DataFrame({"row_id": map(str, range(500)), "a": side + random.normal(0, 0.1, 500),
                         "b": other, "y": side * other + random.normal(0, 0.1, 500)})  # fmt: skip
    task = Task(kind="regression", modality="tabular", target="y", features=("a", "b"),
                metric="mae")  # fmt: skip
    agreed = {
        method: float(((made["a"] * made["b"]).sign() == made["y"].sign()).mean())
        for method in ("forest", "copula")
        for made in [made_rows(rows, task, method=method, class_name=None, count=400, seed=0)]
    }
    assert agreed["forest"] > 0.85
    assert agreed["copula"] < 0.65


def test_smote_lies_between_two_rows_and_names_one_of_them():
    random = np.random.default_rng(0)
    rows = pl.DataFrame(random.normal(size=(40, 2)), schema=["x", "y"]).with_columns(
        pl.Series("row_id", [f"r{i}" for i in range(40)]),
        pl.Series("class", ["rare"] * 10 + ["common"] * 30),
    )
    task = TASK.model_copy(update={"features": ("x", "y")})
    made = made_rows(rows, task, method="smote", class_name="rare", count=30, seed=0)
    real = rows.filter(pl.col("class") == "rare").select("x", "y").to_numpy()
    for point in made.select("x", "y").to_numpy():
        ends = [(a, b) for a in real for b in real if not np.array_equal(a, b)]
        apart = min(
            np.linalg.norm(point - a) + np.linalg.norm(point - b) - np.linalg.norm(a - b)
            for a, b in ends
        )
        assert apart < 1e-5
    assert set(made["made_from"]) <= set(rows.filter(pl.col("class") == "rare")["row_id"])


@pytest.mark.parametrize("features", [("region", "member"), ("region",), ("age",)])
def test_smote_takes_categories_alone_and_numbers_alone(features):
    task = TASK.model_copy(update={"features": features})
    made = made_rows(customers(), task, method="smote", class_name="rare", count=15, seed=0)
    assert made.height == 15


@pytest.mark.parametrize("method", METHODS)
def test_two_identical_rows_give_the_same_row_again(method):
    rows = customers(gaps=False)
    twice = pl.concat([rows.filter(pl.col("class") == "rare").head(1)] * 2)
    rows = pl.concat([twice, rows.filter(pl.col("class") == "common")])
    made = made_rows(rows, TASK, method=method, class_name="rare", count=5, seed=0)
    assert made.select(FEATURES).unique().equals(twice.select(FEATURES).unique())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("held", [0, 1])
def test_a_class_of_fewer_than_two_rows_is_refused(method, held):
    rows = customers()
    rows = pl.concat(
        [
            rows.filter(pl.col("class") == "common"),
            rows.filter(pl.col("class") == "rare").head(held),
        ]
    )
    with pytest.raises(InputError, match="Too few rows"):
        made_rows(rows, TASK, method=method, class_name="rare", count=5, seed=0)


def test_what_cannot_be_made_is_refused():
    rows = customers()
    with pytest.raises(InputError, match="none of the classes"):
        made_rows(rows, TASK, method="smote", class_name="absent", count=5, seed=0)
    with pytest.raises(InputError, match="one class"):
        made_rows(rows, TASK, method="smote", class_name=None, count=5, seed=0)
    text = TASK.model_copy(update={"modality": "text", "text": "region", "features": ()})
    with pytest.raises(InputError, match="writes no text"):
        made_rows(rows, text, method="copula", class_name="rare", count=5, seed=0)
    lists = rows.with_columns(age=pl.concat_list("age", "age"))
    with pytest.raises(InputError, match="No row can be made of the column 'age'"):
        made_rows(lists, TASK, method="forest", class_name="rare", count=5, seed=0)


cells = {
    pl.Int64: st.integers(-(2**40), 2**40),
    pl.Float64: st.floats(-1e6, 1e6).map(lambda x: round(x, 3)),
    pl.String: st.text(max_size=4),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(),
}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(list(cells)))
def test_encoding_and_back_changes_nothing(data, dtype):
    values = data.draw(st.lists(st.none() | cells[dtype], min_size=1, max_size=20))
    rows = pl.DataFrame({"x": pl.Series(values, dtype=dtype)})
    encoding = Encoding(rows, ["x"])
    back = encoding.decode(encoding.encode(rows))
    assert back.schema == rows.schema
    assert (
        back["x"].to_list() == pytest.approx(rows["x"].to_list())
        if dtype == pl.Float64
        else (back["x"].to_list() == rows["x"].to_list())
    )
