from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assay.errors import InputError
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.naming import class_of
from assay.label.rows import read_rows
from assay.label.spec import Gold
from assay.label.task import LabelTask
from labelled import labelling

TASK = LabelTask.of(["farm", "money"])
ROWS = pl.DataFrame({"row_id": ["a", "b", "c"], "text": ["wheat", "bank", "corn"]})


def gold_of(given: Any, rows: pl.DataFrame = ROWS, task: LabelTask = TASK) -> Gold:
    read, task = read_rows(rows, task)
    found = read_gold(given, task, kind_of(task), read)
    assert found is not None
    return found


def test_gold_may_name_rows_or_hold_texts() -> None:
    by_id = gold_of({"row_id": ["b", "a"], "label": ["money", "farm"]})
    assert by_id.texts == ["bank", "wheat"]
    assert by_id.labels == ["money", "farm"]
    assert gold_of({"text": ["bank", "wheat"], "label": ["money", "farm"]}).texts == by_id.texts
    assert by_id.notes == ()


def test_labels_are_understood_however_they_are_written() -> None:
    numbers = LabelTask.of(["0", "1"])
    assert gold_of({"text": ["x", "y"], "label": [0, 1]}, task=numbers).labels == ["0", "1"]
    assert gold_of({"text": ["x", "y"], "label": [0.0, 1.0]}, task=numbers).labels == ["0", "1"]
    assert gold_of({"text": ["x", "y"], "label": [" farm\n", "money "]}).labels == ["farm", "money"]
    yes = LabelTask.of(["true", "false"])
    assert gold_of({"text": ["x", "y"], "label": [True, False]}, task=yes).labels == [
        "true",
        "false",
    ]
    assert class_of("FARM", TASK) == "farm"


def test_rows_without_a_label_or_a_text_are_left_out() -> None:
    gold = gold_of(
        {"text": ["x", "y", "", "z", "w"], "label": ["farm", None, "farm", " ", "money"]}
    )
    assert gold.texts == ["x", "w"]
    assert gold.notes == ("1 gold row without a text: left out.",)
    read, task = read_rows(ROWS, TASK)
    nothing = {"text": ["x"], "label": [None]}
    assert read_gold(nothing, task, kind_of(task), read) is None


def test_gold_that_contradicts_itself_is_told_and_vouches_for_no_row(tmp_path: Path) -> None:
    given = {
        "text": ["bank", "wheat", "wheat", "loan"],
        "label": ["money", "farm", "money", "money"],
    }
    gold = gold_of(given)
    assert gold.notes == ("Gold gives one text several labels: rows 1, 2. Correct them.",)
    with labelling(tmp_path) as label:
        result = label(ROWS, TASK, pl.DataFrame(given))
    assert result.notes == gold.notes
    told = result.table["why"].to_list()
    assert told[1] == "checked by a person"
    assert told[0] != "checked by a person", "no one knows which of the two labels is right"


def test_a_row_that_came_with_another_label_than_gold_is_told(tmp_path: Path) -> None:
    rows = ROWS.with_columns(label=pl.Series(["money", "money", None]))
    gold = pl.DataFrame({"text": ["wheat", "bank"], "label": ["farm", "money"]})
    found = gold_of(gold, rows)
    assert found.notes == ("1 row came with another label than gold has: a. Gold's was used.",)
    with labelling(tmp_path) as label:
        assert label(rows, TASK, gold).table["label"][0] == "farm"


def test_one_id_for_two_texts_is_told() -> None:
    gold = gold_of({"row_id": ["a", "z"], "text": ["bank", "wheat"], "label": ["money", "farm"]})
    assert gold.notes == ("Gold and the rows hold different texts under one row_id: a.",)


def test_a_class_without_an_example_is_told() -> None:
    gold = gold_of({"text": ["wheat"], "label": ["farm"]})
    assert gold.notes == ("The class 'money' has no example in gold: nothing is measured for it.",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": ["wheat"], "label": ["ships"]}, "none of the classes"),
        ({"text": ["wheat"], "topic": ["farm"]}, "no column with the label"),
        ({"row_id": ["q"], "label": ["farm"]}, "none of the rows to label"),
        ({"row_id": ["a", "a"], "label": ["farm", "farm"]}, "tell the rows apart"),
        ({"other": ["wheat"], "label": ["farm"]}, "neither the inputs nor a row_id"),
        ({"text": ["wheat"], "label": ["farm"], "weight": [-1.0]}, "must be positive"),
        ({"text": ["wheat"], "label": ["farm"], "weight": [0.0]}, "drawn at random"),
        ({"text": ["wheat"], "label": ["farm"], "weight": [None]}, "must be"),
        ({"text": ["wheat"], "label": ["farm"], "weight": ["x"]}, "must be numbers"),
    ],
)
def test_gold_that_cannot_be_used_is_refused_in_one_message(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        gold_of(given)
    assert "\n" not in str(caught.value)


def test_picked_rows_teach_as_much_as_drawn_ones_and_measure_nothing() -> None:
    texts = [f"row {number}" for number in range(12)]
    weights = [2.0] * 5 + [4.0] * 5 + [0.0] * 2
    gold = gold_of({"text": texts, "label": ["farm", "money"] * 6, "weight": weights})
    assert gold.teaching is not None
    assert gold.measuring is not None
    assert gold.teaching.tolist() == pytest.approx([2 / 3] * 5 + [4 / 3] * 5 + [1.0] * 2)
    assert gold.measuring.tolist() == pytest.approx([2 / 3] * 5 + [4 / 3] * 5 + [0.0] * 2)
