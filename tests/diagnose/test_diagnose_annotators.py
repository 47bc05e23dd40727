from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose
from assay.diagnose.detectors.annotators import AnnotatorDetector
from assay.diagnose.spec import Diagnosis
from assay.diagnose.strategies.edits import edits_of
from assay.task import ClassDescription, Task
from in_process import assay

PEOPLE = ("ann", "bob", "cy", "dee")


def labelled(
    seed: int, n: int = 800, *, turned: float = 0.0, random_share: float = 0.0
) -> pl.DataFrame:
    """Rows by four people, who had rows of different kinds; the model states true chances.

    Parameters
    ----------
    turned
        Share of "no" that bob calls "yes".
    random_share
        Share of rows that bob labels by a coin.
    """
    random = np.random.default_rng(seed)
    person = random.integers(4, size=n)
    x = random.normal(size=n) + 0.8 * (person - 1.5)  # dee's rows are mostly "yes", ann's "no"
    chance = 1 / (1 + np.exp(-2 * x))
    truth = random.random(n) < chance
    bob = person == 1
    truth |= bob & (random.random(n) < turned)
    coin = bob & (random.random(n) < random_share)
    truth = np.where(coin, random.random(n) < 0.5, truth)
    return pl.DataFrame(
        {
            "x": x,
            "who": np.array(PEOPLE)[person],
            "y": np.where(truth, "yes", "no"),
            "probability:no": 1 - chance,
            "probability:yes": chance,
        }
    )


def told(rows: pl.DataFrame, annotator: str | None = "who") -> Diagnosis:
    return diagnose(rows, truth="y", annotator=annotator, detectors=[AnnotatorDetector()])


def test_someone_who_favours_a_class_is_told() -> None:
    diagnosis = told(labelled(1, turned=0.5))
    found = {each.code: each for each in diagnosis.findings}
    assert not [each.title for each in diagnosis.findings if "bob" not in each.title]
    assert found["AS204"].title == "'bob' gives 'yes' more often than the rows explain"
    assert found["AS204"].effect.interval.low > 0.05
    assert found["AS204"].size == (labelled(1)["who"] == "bob").sum()
    task = Task(
        kind="binary", modality="tabular", target="y", features=("x", "who"),
        classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
    )  # fmt: skip
    assert list(edits_of(found["AS204"], task)) == []


def test_someone_who_labels_by_a_coin_is_told() -> None:
    titles = [each.title for each in told(labelled(2, random_share=0.7)).findings]
    assert "labels of 'bob' contradict the rows more often than others' do" in titles
    assert not [each for each in titles if "bob" not in each]


@pytest.mark.parametrize("stated", [True, False], ids=["probabilities", "answers"])
def test_people_who_label_alike_are_seldom_told_whatever_rows_they_had(stated: bool) -> None:
    tries, alarms = 15, 0
    for seed in range(tries):
        rows = labelled(seed, 500)
        if not stated:
            said = pl.when(pl.col("probability:yes") > 0.5).then(pl.lit("yes"))
            rows = rows.with_columns(prediction=said.otherwise(pl.lit("no")))
            rows = rows.drop("probability:yes", "probability:no")
        alarms += bool(told(rows).findings)
    assert alarms <= stats.binom.isf(0.001, tries, 0.05)


def test_a_column_that_names_people_is_found_and_one_of_few_rows_is_named() -> None:
    rows = labelled(3, turned=0.5).rename({"who": "labelled_by"})
    assert told(rows, None).findings
    few = pl.when(pl.int_range(pl.len()) < 12).then(pl.lit("eve")).otherwise(pl.col("labelled_by"))
    assert "eve" in told(rows.with_columns(labelled_by=few), None).looked[0].skipped
    assert "no column says" in told(labelled(3), None).looked[0].skipped


def test_the_command_line_takes_who_labelled(tmp_path: Path) -> None:
    labelled(1, turned=0.5).write_csv(tmp_path / "said.csv")
    words = ("diagnose", "--predictions", "said.csv", "--truth", "y")
    done = assay(*words, "--annotator", "who", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'bob' gives 'yes' more often" in done.stdout
    wrong = assay(*words, "--annotator", "whom", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no column for annotator" in wrong.stderr
