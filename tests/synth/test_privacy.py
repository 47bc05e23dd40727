from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.synth.privacy import (
    Distances,
    PrivacyLimits,
    PrivacyReport,
    k_anonymity,
    measure_privacy,
)
from assay.synth.privacy.shares import risk, share
from assay.synth.tabular import made_rows
from assay.task import Task
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.tables_made_up import TASK, customers

LIMITS = PrivacyLimits()


def fact(report: PrivacyReport, name: str):
    return next(each for each in (*report.memory, *report.attacks) if each.name.startswith(name))


def people(n: int, seed: int) -> pl.DataFrame:
    """Rows of which each is one of a kind; the diagnosis follows from nothing else."""
    random = np.random.default_rng(seed)
    table = pl.DataFrame(
        {name: random.normal(size=n) for name in ("a", "b", "c", "d")}
        | {"diagnosis": random.choice(["u", "v", "w", "x"], n)}
    )
    return table.with_columns(
        pl.Series("row_id", [f"p{seed}-{i}" for i in range(n)]), pl.lit("rare").alias("class")
    )


PEOPLE = TASK.model_copy(update={"features": ("a", "b", "c", "d", "diagnosis")})


@pytest.fixture(scope="module")
def leaked() -> PrivacyReport:
    """A generator that adds a breath of noise to the rows that it saw."""
    seen, control = people(300, 0), people(300, 1)
    made = seen.with_columns(pl.col("a", "b", "c", "d") + 1e-4)
    return measure_privacy(made, seen, PEOPLE, control=control, secrets=["diagnosis"])


@pytest.fixture(scope="module")
def fresh() -> PrivacyReport:
    """A perfect generator: other people of the same kind."""
    seen, control, made = (people(300, seed) for seed in range(3))
    return measure_privacy(made, seen, PEOPLE, control=control, secrets=["diagnosis"])


@pytest.mark.parametrize("name", ["linkability", "inference of 'diagnosis'"])
def test_an_attack_succeeds_on_a_leak_and_not_on_other_people(leaked, fresh, name):
    assert fact(leaked, name).interval.low > 0.5
    assert fact(fresh, name).interval.low == 0.0
    assert fact(fresh, name).estimate < 0.1


def test_people_whose_rows_are_repeated_are_singled_out_and_others_are_not(fresh):
    seen, control = people(300, 0), people(300, 1)
    report = measure_privacy(seen, seen, PEOPLE, control=control, secrets=[])
    assert fact(report, "singling out").interval.low > 0.9
    assert fact(fresh, "singling out").interval.low < LIMITS.risk / 2


def test_a_leak_is_closer_than_real_rows_are_and_exceeds_the_limits(leaked, fresh):
    assert fact(leaked, "closer").estimate == 1.0
    assert fact(fresh, "closer").estimate == pytest.approx(0.05, abs=0.05)
    assert fact(fresh, "closer").details["baseline"] == pytest.approx(0.05, abs=0.01)
    assert 0.5 in fact(fresh, "nearer").interval
    assert fact(leaked, "nearer").interval.low > 0.95
    assert fresh.exceeded(LIMITS) == ()
    told = " ".join(leaked.exceeded(LIMITS))
    assert all(each in told for each in ("closer", "linkability", "inference"))
    assert fact(leaked, "exact").estimate == 0


def test_copies_count_where_the_real_row_is_one_of_a_kind():
    seen = people(50, 0)
    shared = pl.concat([seen, seen.head(5).with_columns(row_id=pl.col("row_id") + "again")])
    made = seen.head(10)
    assert fact(measure_privacy(made, seen, PEOPLE), "exact").estimate == 1.0
    assert fact(measure_privacy(made, shared, PEOPLE), "exact").estimate == 0.5
    assert "exact copies" in measure_privacy(made, seen, PEOPLE).exceeded(LIMITS)[0]


@pytest.mark.parametrize("method", ["smote", "forest", "copula"])
def test_the_generators_pass_on_a_table_of_every_type(method):
    rows = customers(400)
    seen, control = rows.head(200), rows.tail(200)
    made = made_rows(seen, TASK, method=method, class_name="common", count=200, seed=0)
    report = measure_privacy(made, seen, TASK, control=control)
    assert {each.name for each in report.attacks} == {
        "singling out", "linkability", *(f"inference of {name!r}" for name in TASK.inputs),
    }  # fmt: skip
    assert fact(report, "singling out").interval.low < 0.1
    assert PrivacyReport.from_dict(report.as_dict()) == report


def test_without_control_rows_the_report_says_that_it_did_not_attack():
    report = measure_privacy(people(40, 1), people(40, 0), PEOPLE, control=people(5, 2))
    assert report.attacks == ()
    assert "did not see" in report.notes[0]


def test_long_runs_of_one_real_text_are_found_and_set_phrases_are_not():
    rows = newsroom(100, seed=0, words=30)
    real = rows["text"].to_list()
    phrase = "this message was sent to you by the farmers union of the north, do not answer it"
    seen = rows.with_columns(
        text=pl.when(pl.int_range(pl.len()) < 2).then(pl.col("text") + " " + phrase)
        .otherwise("text")
    )  # fmt: skip
    texts = [f"New: {real[7][10:80]}", f"New: {phrase}", "short", real[9][:40]]
    made = pl.DataFrame({"text": texts, "topic": "farm"})
    report = measure_privacy(made, seen, NEWS)
    assert fact(report, "long runs").details["hits"] == 1
    assert "long runs" in report.exceeded(LIMITS)[-1]


def test_k_anonymity_is_the_rarest_combination():
    rows = customers(300, gaps=False)
    made = rows.select("region", "member")
    smallest = min(made.rows().count(each) for each in set(made.rows()))
    assert k_anonymity(made, ["region", "member"]) == smallest
    report = measure_privacy(rows, rows, TASK, quasi_identifiers=["region", "member"])
    assert report.k == smallest
    assert f"k-anonymity is {smallest}" in " ".join(report.exceeded(PrivacyLimits(k=smallest + 1)))


def test_distances_are_gowers():
    task = TASK.model_copy(update={"features": ("x", "w")})
    real = pl.DataFrame({"x": [0.0, 10.0, None], "w": ["a", "b", "a"]})
    found = Distances(real, task).nearest(real, real, 2, themselves=True)
    assert found[0][0] == pytest.approx([0.5, 1.0])
    assert found[1][0].tolist() == [2, 1]
    assert Distances(real, task).to_nearest(real, real)[0] == pytest.approx([0, 0, 0])


def test_what_cannot_be_measured_is_refused():
    rows = customers(50)
    with pytest.raises(InputError, match="no made row"):
        measure_privacy(rows.head(0), rows, TASK)
    with pytest.raises(InputError, match="none of the inputs"):
        measure_privacy(rows, rows, TASK, secrets=["salary"])


def test_the_interval_of_a_share_holds_the_truth():
    random = np.random.default_rng(0)
    held = [
        0.1 in share("x", int(hits), 200, "m").interval for hits in random.binomial(200, 0.1, 500)
    ]
    assert 0.92 <= np.mean(held) <= 0.985


def test_the_interval_of_a_risk_holds_the_truth():
    """A third of the guesses that fail on strangers succeed on people who were seen."""
    random = np.random.default_rng(0)
    control, extra = 0.2, 1 / 3
    main = control + extra * (1 - control)
    draws = zip(random.binomial(300, main, 500), random.binomial(300, control, 500), strict=True)
    held = [extra in risk("x", int(a), int(b), 300, 300, "m").interval for a, b in draws]
    assert np.mean(held) >= 0.93


def test_the_lower_end_of_a_risk_rarely_accuses_a_generator_that_leaks_nothing():
    random = np.random.default_rng(1)
    draws = zip(random.binomial(300, 0.3, 500), random.binomial(300, 0.3, 500), strict=True)
    accused = [risk("x", int(a), int(b), 300, 300, "m").interval.low > 0 for a, b in draws]
    assert np.mean(accused) <= 0.04


def test_a_single_column_has_nothing_to_link():
    task = Task(kind="regression", modality="tabular", target="y", features=("x",), metric="mae")
    random = np.random.default_rng(0)
    tables = [pl.DataFrame(random.normal(size=(40, 2)), schema=["x", "y"]) for _ in range(3)]
    report = measure_privacy(tables[0], tables[1], task, control=tables[2])
    assert [each.name for each in report.attacks] == ["singling out"]
