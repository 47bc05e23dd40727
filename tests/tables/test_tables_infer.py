"""What is predicted is found from the table, with reasons, or refused with one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.tables import completed, fitted, infer_task, with_clean_target
from assay.task import ClassDescription, Task

N = 60
RANDOM = np.random.default_rng(0)
TEXTS = [" ".join(map(str, RANDOM.integers(0, 99, 8))) for _ in range(N)]


def table(target: Sequence[Any] | pl.Series, **columns: Any) -> pl.DataFrame:
    return pl.DataFrame({**columns, "y": target})


def found(target: Sequence[Any] | pl.Series, **known: Any) -> Task:
    rows = with_clean_target(table(target, text=TEXTS), "y")
    return infer_task(rows, "y", **known).task


def cycle(*values: Any) -> list[Any]:
    return [values[each % len(values)] for each in range(N)]


TARGETS = {
    "words": (cycle("b", "a"), "binary", ("a", "b")),
    "three words": (cycle("b", "a", "c"), "multiclass", ("a", "b", "c")),
    "truth": (cycle(True, False, False), "binary", ("false", "true")),
    "categories": (pl.Series(cycle("b", "a"), dtype=pl.Categorical), "binary", ("a", "b")),
    "few whole numbers": (cycle(10, 9, 2), "multiclass", ("2", "9", "10")),
    "few whole floats": (cycle(1.0, 0.0), "binary", ("0", "1")),
    "two fractions": (cycle(0.5, 1.5), "binary", ("0.5", "1.5")),
    "stars with gaps": (cycle(1, 2, 3, None), "multiclass", ("1", "2", "3")),
    "many whole numbers": (list(range(N)), "regression", ()),
    "fractions": (RANDOM.random(N).tolist(), "regression", ()),
    "dates": (cycle(dt.date(2024, 1, 1), dt.date(2024, 1, 2)), "binary", None),
    "padded words": (cycle(" a", "b ", "", "  "), "binary", ("a", "b")),
}


@pytest.mark.parametrize(("target", "kind", "classes"), TARGETS.values(), ids=TARGETS)
def test_kind_and_classes(target: Any, kind: str, classes: tuple[str, ...] | None) -> None:
    task = found(target)
    assert task.kind == kind
    assert classes is None or task.class_names == classes


def test_what_the_user_says_goes_before_what_is_found() -> None:
    assert found(cycle(1, 2, 3), kind="regression").kind == "regression"
    slips = found(cycle("1", "2", "3", "?"), kind="multiclass")
    assert set(slips.class_names) == {"1", "2", "3", "?"}
    assert found(cycle("a", "b"), metric="log_loss").metric == "log_loss"


def test_metric_follows_the_kind_and_the_balance() -> None:
    assert found(cycle("a", "b")).metric == "accuracy"
    assert found(cycle("a", *"bbbbbbbbb")).metric == "auc"
    assert found(cycle("a", "b", *"cccccccc")).metric == "accuracy"
    assert found(RANDOM.random(N).tolist()).metric == "mae"


def test_the_longest_words_make_a_text_task() -> None:
    task = infer_task(table(cycle("a", "b"), title=cycle("x", "y"), body=TEXTS), "y").task
    assert (task.modality, task.text, task.features) == ("text", "body", ())


def test_text_beside_many_columns_is_a_table_unless_said() -> None:
    numbers = {f"n{each}": RANDOM.random(N) for each in range(3)}
    rows = table(cycle("a", "b"), body=TEXTS, **numbers)
    task = infer_task(rows, "y").task
    assert (task.modality, task.features) == ("tabular", ("body", "n0", "n1", "n2"))
    assert infer_task(rows, "y", text="body").task.text == "body"


def test_columns_of_no_use_are_left_aside_and_the_reason_is_told() -> None:
    rows = table(
        cycle("a", "b"),
        number=range(N),
        name=[f"id{each}" for each in range(N)],
        nothing=[None] * N,
        same=["x"] * N,
        lists=[[each] for each in range(N)],
        good=RANDOM.random(N),
        good_too=cycle("u", "v", None),
    )
    inference = infer_task(rows, "y")
    assert inference.task.features == ("good", "good_too")
    reasons = {each.what: each.why for each in inference.notes}
    for column, why in {
        "number": "numbers the rows",
        "name": "identifier",
        "nothing": "empty",
        "same": "same in every row",
        "lists": "no encoder",
    }.items():
        assert why in reasons[f"column {column!r} is not used"]


def test_many_unused_columns_are_told_in_one_note() -> None:
    rows = table(cycle("a", "b"), good=RANDOM.random(N), **{f"e{k}": ["x"] * N for k in range(30)})
    notes = [each.what for each in infer_task(rows, "y").notes if "not used" in each.what]
    assert notes == ["columns 'e0', 'e1', 'e2', 'e3' and 26 more are not used"]


def test_group_and_time_are_no_features() -> None:
    rows = table(cycle("a", "b"), good=RANDOM.random(N), who=cycle(1, 2, 3), when=RANDOM.random(N))
    assert infer_task(rows, "y", group="who", time="when").task.features == ("good",)


BAD: dict[str, tuple[Sequence[Any], dict[str, Any], str]] = {
    "no label": ([None] * N, {}, "No row has a label"),
    "blank labels": ([" "] * N, {}, "No row has a label"),
    "one class": (["a"] * N, {}, "Every label in 'y' is the same"),
    "words among numbers": (cycle("1", "2", "cat"), {}, r"mixes numbers and words.*row 3: 'cat'"),
    "words in a regression": (cycle("a", "b"), {"kind": "regression"}, "numeric target"),
    "three of two": (cycle("a", "b", "c"), {"kind": "binary"}, "two classes.*3 classes"),
    "unknown kind": (cycle("a", "b"), {"kind": "binry"}, "binry.*binary, multiclass"),
    "unknown metric": (cycle("a", "b"), {"metric": "acc"}, "acc.*accuracy"),
    "metric of another kind": (cycle("a", "b"), {"metric": "mae"}, "mae.*accuracy"),
    "text as target": (cycle("a", "b"), {"text": "y"}, "both target and text"),
    "group as target": (cycle("a", "b"), {"group": "y"}, "both target and group"),
    "unknown text": (cycle("a", "b"), {"text": "Texte"}, "for text.*Texte.*Allowed: text"),
    "unknown group": (cycle("a", "b"), {"group": "who"}, "for group.*--group"),
    "unknown time": (cycle("a", "b"), {"time": "when"}, "for time.*--time"),
}


@pytest.mark.parametrize(("target", "known", "told"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_one_clear_error(
    target: Sequence[Any], known: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        found(target, **known)


def test_an_unknown_target_names_the_nearest_columns() -> None:
    with pytest.raises(InputError, match=r"labl.*Allowed: Label"):
        infer_task(pl.DataFrame({"Label": ["a"], "other": ["b"]}), "labl")


def test_a_target_of_free_text_is_refused() -> None:
    with pytest.raises(InputError, match="identifier, not a class"):
        infer_task(table([f"text {each}" for each in range(N)], n=RANDOM.random(N)), "y")


def test_no_column_to_predict_from() -> None:
    with pytest.raises(InputError, match="No column is left"):
        infer_task(table(cycle("a", "b"), same=["x"] * N), "y")


TASK = Task(kind="binary", modality="text", target="y", text="text")


def test_a_given_task_is_completed_with_the_classes() -> None:
    rows = table(cycle("b", "a"), text=TEXTS)
    assert completed(TASK, rows).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"text": "tex"}, "for text.*tex"),
        ({"group": "who"}, "for group"),
        ({"features": ("n",)}, "for feature"),
        ({"text": "y"}, "input too"),
        ({"metric": "rmse"}, "metric does not fit"),
        ({"metric": "cost_1"}, "metric does not fit"),
    ],
)
def test_a_given_task_is_checked(change: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        completed(TASK.model_copy(update=change), table(cycle("b", "a"), text=TEXTS))


def test_the_target_becomes_what_the_task_says() -> None:
    rows = table([1, 2, None], text=["a", "b", "c"])
    classes = tuple(ClassDescription(name=each) for each in "12")
    labels = fitted(rows, TASK.model_copy(update={"classes": classes}))["y"]
    assert labels.to_list() == ["1", "2", None]
    values = fitted(rows, TASK.model_copy(update={"kind": "regression"}))["y"]
    assert values.dtype == pl.Float64
    with pytest.raises(InputError, match=r"not among the task's classes.*Given: 1"):
        fitted(rows, TASK.model_copy(update={"classes": classes[1:]}))
    with pytest.raises(InputError, match=r"holds words.*Given: x"):
        fitted(table(["1", "x"]), TASK.model_copy(update={"kind": "regression"}))
