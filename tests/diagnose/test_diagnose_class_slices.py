from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors.class_slices import ClassSliceDetector
from assay.diagnose.spec import Diagnosis, Finding
from assay.diagnose.strategies.edits import edits_of
from assay.task import ClassDescription, Task

CITIES = ("Rome", "Oslo", "Kyiv", "Lima")


def rows(seed: int, n: int = 1200) -> pl.DataFrame:
    """Rows whose class has nothing to do with the columns; a class fails at its own rate."""
    random = np.random.default_rng(seed)
    truth = random.choice(["no", "yes"], n)
    wrong = random.random(n) < np.where(truth == "yes", 0.25, 0.08)
    said = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
    return pl.DataFrame(
        {
            "age": random.uniform(18, 80, n),
            "city": random.choice(CITIES, n),
            "y": truth,
            "prediction": said,
        }
    )


def failing(given: pl.DataFrame, seed: int, *classes: str) -> pl.DataFrame:
    """Give the other class to 60 % of the rows of Oslo that are of one of the classes."""
    hit = pl.Series(np.random.default_rng(seed + 1000).random(given.height) < 0.6)
    other = pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes"))
    there = (pl.col("city") == "Oslo") & pl.col("y").is_in(classes) & hit
    return given.with_columns(prediction=pl.when(there).then(other).otherwise(pl.col("prediction")))


def told(given: pl.DataFrame, seed: int = 0) -> Diagnosis:
    return diagnose(given, truth="y", detectors=[ClassSliceDetector()], seed=seed)


def planted() -> Finding:
    found = [each for each in told(failing(rows(1), 1, "yes")).findings if each.code == "AS104"]
    return found[0]


def test_where_a_class_is_missed_is_told() -> None:
    found = planted()
    assert found.title == "'yes' is missed more often where city = \"Oslo\""
    assert found.effect.interval.low > 0.2
    given = failing(rows(1), 1, "yes")
    assert found.cost > 0.02
    assert found.size == given.filter((pl.col("city") == "Oslo") & (pl.col("y") == "yes")).height


def test_where_a_class_is_given_wrongly_is_told() -> None:
    titles = [each.title for each in told(failing(rows(2, 3000), 2, "no")).findings]
    assert "'yes' is given wrongly more often where city = \"Oslo\"" in titles


def test_what_fails_for_all_classes_alike_is_left_to_the_plain_slices() -> None:
    missed = 0
    for seed in range(6):
        random = np.random.default_rng(seed)
        given = rows(seed)
        truth = given["y"].to_numpy()
        wrong = random.random(given.height) < np.where(given["city"] == "Oslo", 0.6, 0.1)
        said = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
        missed += bool(told(given.with_columns(prediction=said), seed).findings)
    assert missed <= 1


def test_classes_that_fail_at_rates_of_their_own_are_seldom_told() -> None:
    tries = 25
    alarms = sum(bool(told(rows(seed, 600), seed).findings) for seed in range(tries))
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def test_members_that_look_like_another_class_are_missed_without_being_told() -> None:
    tries, alarms = 20, 0
    for seed in range(tries):
        random = np.random.default_rng(seed)
        x = random.normal(size=600)
        yes = 1 / (1 + np.exp(-3 * x))
        given = pl.DataFrame(
            {
                "x": x,
                "city": random.choice(CITIES, 600),
                "y": np.where(random.random(600) < yes, "yes", "no"),
                "probability:no": 1 - yes,
                "probability:yes": yes,
            }
        )
        found = told(given, seed).findings
        alarms += "AS104" in [each.code for each in found]
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def test_only_the_missed_rows_of_the_slice_weigh_more() -> None:
    task = Task(
        kind="binary", modality="tabular", target="y", features=("age", "city"),
        classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
    )  # fmt: skip
    edits = dict(edits_of(planted(), task))
    assert set(edits) == {"feature", "reweight", "synthesise"}
    assert edits["synthesise"].name.startswith('made rows of yes where city = "Oslo"')
    assert edits["reweight"].name == 'weighed 3 times: city = "Oslo" and y = "yes"'
