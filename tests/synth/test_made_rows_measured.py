from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.sparse import identity

from assay.recipe import Tools, baseline_recipe
from assay.synth.made import measured, samples
from assay.synth.measure import (
    distinct_n,
    measure_fidelity,
    measure_utility,
    plan_coverage,
    vendi_score,
)
from assay.synth.spec import Order
from assay.synth.tabular import made_rows
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.tables_made_up import TASK, customers


def unused(*_: object) -> pl.DataFrame:
    raise AssertionError("nothing is read or embedded")


def test_rows_of_the_same_source_are_alike_and_shuffled_ones_in_their_columns_alone():
    one, two = customers(800, seed=0), customers(800, seed=1)
    same = measure_fidelity(two, one, TASK)
    assert same.marginals.estimate > 0.94
    assert same.pairwise.estimate > 0.9
    random = np.random.default_rng(0)
    shuffled = pl.DataFrame([two[name].gather(random.permutation(800)) for name in TASK.inputs])
    apart = measure_fidelity(shuffled, one, TASK)
    assert apart.marginals.estimate == pytest.approx(same.marginals.estimate)
    assert apart.pairs["age", "income"] < 0.75 < same.pairs["age", "income"]
    assert apart.pairwise.interval.high < same.pairwise.interval.low


def test_the_same_table_is_alike_in_full_and_a_shifted_column_is_named():
    rows = customers(300)
    same = measure_fidelity(rows, rows, TASK)
    assert set(same.columns.values()) == {1.0}
    assert same.pairwise.estimate == pytest.approx(1.0)
    older = measure_fidelity(rows.with_columns(pl.col("age") + 200), rows, TASK)
    assert older.columns["age"] == 0.0
    assert older.columns["income"] == 1.0


def test_made_rows_that_mean_nothing_teach_nothing():
    rows = customers(900, gaps=False)
    seen, judged = rows.head(400), rows.tail(500)
    tools = Tools(unused, unused)  # type: ignore[arg-type]
    recipe = baseline_recipe(TASK)
    good = pl.concat(
        made_rows(seen, TASK, method="copula", class_name=name, count=300, seed=0)
        for name in TASK.class_names
    )
    nonsense = good.with_columns(pl.col("class").shuffle(seed=0))
    useful, useless = (
        measure_utility(each, seen, judged, recipe, TASK, tools=tools) for each in (good, nonsense)
    )
    assert useful.real.estimate == useless.real.estimate
    assert useful.synthetic.estimate > useful.real.estimate - 0.05
    assert useless.synthetic.estimate < useful.synthetic.estimate - 0.1
    assert useful.gain.n == 500


def test_vendi_counts_the_different_rows():
    assert vendi_score(np.eye(7)) == pytest.approx(7)
    assert vendi_score(np.ones((9, 4))) == pytest.approx(1)
    assert vendi_score(np.repeat(np.eye(3), 5, axis=0)) == pytest.approx(3)
    assert vendi_score(np.empty((0, 3))) == 0.0
    assert vendi_score(np.random.default_rng(0).normal(size=(1500, 8))) <= 8.0001


def test_vendi_takes_its_rows_before_it_spreads_them_out():
    """In full these would take 7 GB."""
    assert vendi_score(identity(30_000, format="csr")) == pytest.approx(1000)


@pytest.mark.parametrize("of_texts", [True, False])
def test_each_sample_stands_beside_the_real_row_nearest_to_it(of_texts: bool):
    task, rows = (NEWS, newsroom(90, seed=0)) if of_texts else (TASK, customers(90))
    order = Order(task, rows, task.class_names[0], 9, 0)
    made = order.own.head(9)
    shown = samples(made, order)
    assert [each.made for each in shown] == [each.nearest for each in shown]
    assert all(each.similarity == pytest.approx(1) for each in shown)
    assert 1 < measured(made, order)[1]["vendi score"] <= 9


def test_distinct_runs_and_the_plan():
    assert distinct_n(["a b c", "a b d"], 2) == 0.75
    assert distinct_n(["a b c"], 1) == 1.0
    assert distinct_n(["a"], 2) == 0.0
    assert plan_coverage({"x": 3, "y": 1}, {"x": 2, "z": 9}) == 0.5
    assert plan_coverage({}, {}) == 1.0
