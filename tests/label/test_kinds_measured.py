"""What a kind measures beside whole answers counts drawn rows alone, after a review too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import test_kind_extract as extraction
import test_kind_multi as several
import test_kind_ordinal as stars
from numpy.testing import assert_array_equal

from assay.label import extract, ordinal
from assay.label.multi import accept_by_class
from assay.label.review.outcome import Reviewed, _joined, updated
from assay.label.spec import Checked
from labelled import labelling, scripted_topics


def drawn_and_picked(drawn: pl.DataFrame, picked: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([drawn.with_columns(weight=1.0), picked.with_columns(weight=0.0)])


def test_thresholds_by_class_rest_on_drawn_rows(tmp_path: Path) -> None:
    rows = several.documents(60, 1)
    with labelling(tmp_path) as label:
        gold = drawn_and_picked(several.documents(100, 2), several.documents(50, 3))
        result = label(rows.select("text"), several.TASK, gold)
    checked = result.checked
    assert checked is not None
    proposed = sum(len(each) for each in checked.labels[:100])
    found = accept_by_class(result, precision=0.7)
    assert sum(each.n for each in found.acceptances.values()) == proposed
    labels = dict(enumerate(result.answers.labels))
    named = {str(row): each for row, each in labels.items() if row < 30}
    reviewed = Reviewed(named, frozenset(["30"]), weights={**dict.fromkeys(named, 1.0), "30": 1.0})
    after = accept_by_class(updated(result, reviewed), precision=0.7)
    more = sum(len(labels[row]) for row in range(31))
    assert sum(each.n for each in after.acceptances.values()) == proposed + more
    for name in labels[30]:  # called wrong: against each of its classes
        assert after.acceptances[name].observed < 1


def test_levels_are_measured_on_drawn_rows(tmp_path: Path) -> None:
    with labelling(tmp_path, scripted_topics(stars.scripted_critic)) as label:
        gold = drawn_and_picked(stars.stars(40, 2), stars.stars(20, 3, slips=1.0))
        result = label(stars.stars(30, 1).select("text"), stars.TASK, gold)
    facts = ordinal.measured(result)
    assert {each.n for each in facts.values()} == {40}
    labels = {str(row): result.answers.labels[row] for row in range(10)}
    weights = {**dict.fromkeys(labels, 1.0), "11": 1.0}
    after = ordinal.measured(updated(result, Reviewed(labels, frozenset(["11"]), weights=weights)))
    assert after["mae"].n == 50, "how far a wrong answer is off is not known"


def test_fields_are_measured_on_drawn_rows(tmp_path: Path) -> None:
    texts, labels = extraction.sales(40, 2)
    gold = pl.DataFrame({"text": texts, "label": labels})
    wrong = gold.with_columns(pl.col("text") + " ", label=pl.lit(labels[0]))
    with labelling(tmp_path, extraction.clerk()) as label:
        rows = extraction.sales(20, 1)[0]
        result = label(rows, extraction.TASK, drawn_and_picked(gold, wrong.head(10)))
    facts = extract.measured(result)
    assert {each.n for each in facts.values()} == {40}, "picked rows are the examples"
    assert facts["price"].estimate == 1
    known = {"3": result.answers.labels[3]}
    reviewed = Reviewed(known, frozenset(["4"]), weights={"3": 1.0, "4": 1.0})
    after = updated(result, reviewed)
    assert after.checked is not None
    assert_array_equal(after.checked.votes["fields"][-2:].all(axis=1), [True, False])
    assert extract.measured(after)["price"].estimate == pytest.approx(41 / 42)


def test_two_samples_of_checked_rows_count_alike_whatever_their_weights() -> None:
    def sample(*weights: float) -> Checked:
        rows = [f"{weights}-{row}" for row in range(len(weights))]
        right = np.ones(len(weights), dtype=np.bool_)
        return Checked(rows, rows, rows, right * 0.9, right, np.array(weights))

    joined = _joined(sample(20.0, 40.0, 0.0), sample(1.0, 0.0))
    assert joined.weights is not None
    assert joined.weights.tolist() == pytest.approx([2 / 3, 4 / 3, 0, 1, 0])
    assert _joined(sample(0.0), sample(1.0)).weights.tolist() == [0, 1]  # type: ignore[union-attr]
