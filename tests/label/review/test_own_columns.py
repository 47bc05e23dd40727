"""Rows of the user's own columns that have the names of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from made_up_labelling import NEWS, labelling

from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.review.filling import rows_to_fill
from assay.label.review.gold import gold_table, with_reviewed
from assay.label.review.order import worth_checking
from assay.label.review.outcome import Reviewed
from assay.label.rows import read_rows
from assay.label.spec import LabelSettings
from assay.label.store import Labelling
from assay.ledger import Ledger

PARCELS = pl.DataFrame(
    {
        "weight": [float(row) for row in range(40)],
        "suggested": [f"by row {row}" for row in range(40)],
        "chance": "even",
        "probability": 7,
    }
)
ROWS, TASK = read_rows(PARCELS, NEWS)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def test_the_weight_of_a_parcel_is_no_importance(ledger: Ledger) -> None:
    gold = PARCELS.with_columns(label=pl.lit("farm"))
    assert read_gold(gold, TASK, kind_of(TASK), ROWS).weights is None  # type: ignore[union-attr]
    drawn = gold.with_columns(assay_weight=pl.Series([1.0] * 15 + [0.0] * 25))
    found = read_gold(drawn, TASK, kind_of(TASK), ROWS)
    assert found is not None
    assert found.weights is not None
    assert found.weights.sum() == 15
    assert with_reviewed(gold, ledger, TASK).columns == gold.columns


def test_rows_to_fill_and_reviewed_rows_keep_their_own_columns(ledger: Ledger) -> None:
    result = replace(labelling(ledger, n=40), task=TASK, rows=ROWS)
    filled = rows_to_fill(Labelling(result, None, LabelSettings()), None, n=30)
    ours = ["label", "assay_suggested", "assay_weight"]
    assert filled.columns == ["row_id", *PARCELS.columns, *ours]
    assert filled["assay_weight"].sum() == 10
    told = filled["row_id"].cast(pl.Float64)
    assert filled["weight"].equals(told, check_names=False)
    labels = dict(result.table.select("row_id", "label").iter_rows())
    assert filled["assay_suggested"].to_list() == [labels[row] for row in filled["row_id"]]
    chosen = worth_checking(result, n=30)
    assert set(chosen["weight"]) == {0.0, 1.0}
    assert chosen["input_weight"].equals(chosen["row_id"].cast(pl.Float64), check_names=False)
    gold = gold_table(ROWS.table, Reviewed({"3": "farm"}, weights={"3": 1.0}), TASK)
    assert gold.select("weight", "assay_weight").row(0) == (3.0, 1.0)
