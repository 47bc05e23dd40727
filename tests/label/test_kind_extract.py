from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from assay.errors import InputError
from assay.label.extract import Extraction, measured
from assay.label.extract.schema import model_of
from assay.label.extract.spans import find_span
from assay.label.extract.wordings import WORDINGS
from assay.label.task import LabelTask
from assay.llm import Prompt, ScriptedModel
from assay.llm.model import RowError
from labelled import labelling


class Sale(BaseModel):
    buyer: str = Field(json_schema_extra={"span": True}, description="who bought")
    price: Annotated[float, Field(ge=0)]
    kind: Literal["wheat", "corn"] = "wheat"
    paid: bool | None = None


TASK = LabelTask.of(Sale)
NAMES = ("Ann Lee", "Bo Ek", "Cy Dam", "Di Oja")


def sales(rows: int, seed: int) -> tuple[list[str], list[dict[str, Any]]]:
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(rows):
        buyer, price = str(random.choice(NAMES)), int(random.integers(10, 99))
        kind, paid = str(random.choice(["wheat", "corn"])), bool(random.random() < 0.5)
        state = "paid" if paid else "owes"
        texts.append(f"Sale {seed}-{row}: {buyer} bought {kind} for {price} dollars, {state}.")
        labels.append({"buyer": buyer, "price": price, "kind": kind, "paid": paid})
    return texts, labels


def scripted_clerk(prompt: Prompt) -> Mapping[str, Any] | Exception:
    """Read the sale; two of three wordings misread prices that end in 3, each in its way."""
    found = re.search(r": (.+) bought (\w+) for (\d+) dollars, (\w+)", prompt.text)
    if found is None:
        return RowError("there is no sale")
    buyer, kind, price, state = found.groups()
    wording = next(code for code, each in enumerate(WORDINGS) if each in prompt.instructions)
    return {
        "buyer": buyer.upper() if wording == 1 else buyer,
        "price": float(price) + (wording if price.endswith("3") else 0),
        "kind": kind,
        "paid": state == "paid",
    }


def clerk(generate: Any = scripted_clerk) -> ScriptedModel:
    return ScriptedModel(generate=generate, name="topics")


def test_objects_are_typed_and_spans_stand_in_the_text(tmp_path: Path) -> None:
    texts, labels = sales(40, 1)
    with labelling(tmp_path, clerk()) as label:
        table = label(texts, TASK).table
    for text, found, true in zip(texts, table["label"].to_list(), labels, strict=True):
        buyer = found["buyer"]
        assert text[buyer["start"] : buyer["end"]] == buyer["text"] == true["buyer"]
        assert found["price"] == true["price"]
        assert {name: found[name] for name in ("kind", "paid")} == {
            name: true[name] for name in ("kind", "paid")
        }


def test_agreement_decides_what_is_accepted(tmp_path: Path) -> None:
    texts, labels = sales(150, 1)
    _, wrong = sales(150, 1)
    for each in wrong:  # a person reads what the first wording misreads too
        each["price"] += 5 if each["price"] % 10 == 3 else 0
    gold = pl.DataFrame({"text": texts, "label": [json.dumps(each) for each in wrong]})
    rows, _ = sales(60, 2)
    with labelling(tmp_path, clerk()) as label:
        result = label(rows, TASK, gold, precision=0.9)
    assert result.checked is not None
    measured_rows = [int(row) for row in result.checked.row_ids]
    assert len(measured_rows) == 147, "three rows may serve as worked examples"
    hard = np.array([labels[row]["price"] % 10 == 3 for row in measured_rows])
    assert (result.checked.correct == ~hard).all()
    assert result.checked.probability[hard].max() < result.checked.probability[~hard].min()
    assert abs(result.checked.probability.mean() - result.checked.correct.mean()) < 0.05
    found = [status == "accepted" for status in result.table["status"]]
    assert found == [re.search(r"\d3 dollars", text) is None for text in rows]
    facts = measured(result)
    assert facts["price"].estimate == pytest.approx((~hard).mean())
    assert facts["buyer"].estimate == 1


def test_words_that_do_not_stand_in_the_text_fail_the_row(tmp_path: Path) -> None:
    def scripted_liar(prompt: Prompt) -> Mapping[str, Any]:
        return {"buyer": "Eve Fox", "price": 1, "kind": "corn", "paid": None}

    with labelling(tmp_path, clerk(scripted_liar)) as label:
        result = label(["Ann Lee bought corn", "Eve Fox bought corn"], TASK)
    assert result.table["status"].to_list() == ["failed", "accepted"]
    assert "'buyer' do not stand in the text" in result.table["why"][0]


def test_a_row_without_an_answer_fails_alone(tmp_path: Path) -> None:
    texts, _ = sales(3, 1)
    with labelling(tmp_path, clerk()) as label:
        table = label([*texts, "nothing was sold"], TASK).table
    assert table["status"].to_list() == ["accepted"] * 3 + ["failed"]
    assert "there is no sale" in table["why"][3]


def test_the_text_is_read_as_it_is_where_spans_are_taken(tmp_path: Path) -> None:
    text = "<p>Sale 1: <b>Ann Lee</b> bought corn for 20 dollars, paid.</p>"

    def scripted_reader(prompt: Prompt) -> Mapping[str, Any]:
        return {"buyer": "Ann Lee", "price": 20, "kind": "corn", "paid": True}

    with labelling(tmp_path, clerk(scripted_reader)) as label:
        (found,) = label([text], TASK).table["label"].to_list()
    assert text[found["buyer"]["start"] : found["buyer"]["end"]] == "Ann Lee"


def test_spans_are_exact_or_unique_or_nothing() -> None:
    exact = find_span("Ann Lee", "Ann Lee and ann lee")
    assert exact is not None
    assert (exact.start, exact.end, exact.exact) == (0, 7, True)
    loose = find_span("ann lee", "Then Ann \n Lee came")
    assert loose is not None
    assert (loose.text, loose.exact) == ("Ann \n Lee", False)
    assert find_span("ann lee", "ANN LEE and Ann Lee") is None
    assert find_span("Eve", "Ann Lee") is None
    assert find_span(" ", "Ann Lee") is None


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_a_span_found_is_where_it_says(words: str, around: str) -> None:
    text = around + words + around
    span = find_span(words, text)
    if words.strip():
        assert span is not None
        assert text[span.start : span.end] == span.text


def test_gold_objects_are_checked_against_the_schema() -> None:
    check = Extraction().check
    found = check({"buyer": "Ann", "price": "12.5", "paid": None}, TASK)
    assert found["price"] == 12.5
    assert found["buyer"] == {"text": "Ann", "start": None, "end": None}
    placed = check({"buyer": {"text": "Ann", "start": 3, "end": 6}, "price": 1}, TASK)
    assert placed["buyer"]["start"] == 3
    with pytest.raises(InputError, match="price: Input should be greater"):
        check({"buyer": "Ann", "price": -1}, TASK)
    with pytest.raises(InputError, match="buyer: Field required"):
        check({"price": 1}, TASK)
    with pytest.raises(InputError, match="no object"):
        check("[1", TASK)


def test_schemas_of_many_shapes_are_understood() -> None:
    class Line(BaseModel):
        item: str
        count: Annotated[int, Field(ge=1, le=9)]

    class Order(BaseModel):
        lines: list[Line]
        size: Literal["s", "m"] | None
        tags: Annotated[list[str], Field(max_length=2)] = []

    built = model_of(Order.model_json_schema())
    good = {"lines": [{"item": "x", "count": 3}], "size": None, "tags": ["a"]}
    assert built.model_validate(good).model_dump() == good
    for bad in ({"lines": [{"item": "x", "count": 10}], "size": None},
                {"lines": [], "size": "l"}, {"lines": [], "size": "s", "more": 1},
                {"lines": [], "size": "s", "tags": ["a", "b", "c"]}):  # fmt: skip
        with pytest.raises(ValueError, match="validation error"):
            built.model_validate(bad)


def test_a_bound_of_another_type_says_nothing() -> None:
    number = {"type": "integer", "minLength": 3, "maximum": 9}
    built = model_of({"type": "object", "properties": {"x": number}})
    assert built.model_validate({"x": 5}).model_dump() == {"x": 5}
    with pytest.raises(ValueError, match="less than or equal to 9"):
        built.model_validate({"x": 10})


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "schema of an object"),
        ({"type": "object"}, "no properties"),
        ({"type": "object", "properties": {"x": {"type": "blob"}}}, r"fields\.x .* not understood"),
        ({"type": "object", "properties": {"x": {}}}, r"fields\.x .* not understood"),
        ({"type": "object", "properties": {"x": {"$ref": "#/$defs/y"}}}, "schema lacks"),
        (
            {"type": "object", "properties": {"x": {"$ref": "#/$defs/y"}},
             "$defs": {"y": {"type": "object", "properties": {"z": {"$ref": "#/$defs/y"}}}}},
            "refers to itself",
        ),
        ({"type": "object", "properties": {"x": True}}, r"fields\.x is no schema"),
        ({"type": "object", "properties": {"x": {"type": "string", "pattern": "("}}}, "cannot be"),
        ({"type": "object", "properties": {"_x": {"type": "string"}}}, "cannot be built"),
    ],
)  # fmt: skip
def test_schemas_that_cannot_be_used_are_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        model_of(schema)


def test_worked_examples_are_shown_where_they_help(tmp_path: Path) -> None:
    def scripted_pupil(prompt: Prompt) -> Mapping[str, Any] | Exception:
        answer = scripted_clerk(prompt)
        if isinstance(answer, Exception) or prompt.examples:
            return answer
        return {**answer, "kind": "wheat"}

    texts, labels = sales(60, 1)
    gold = pl.DataFrame({"text": texts, "label": [json.dumps(each) for each in labels]})
    rows, truth = sales(20, 2)
    with labelling(tmp_path, clerk(scripted_pupil)) as label:
        result = label(rows, TASK, gold)
    assert [step.used for step in result.steps] == [True, True]
    found = [each["kind"] for each in result.table["label"].to_list()]
    assert found == [each["kind"] for each in truth]
    (tmp_path / "other").mkdir()
    with labelling(tmp_path / "other", clerk()) as label:
        result = label(rows, TASK, gold)
    assert [step.used for step in result.steps] == [True, False]
