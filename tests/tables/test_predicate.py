from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.tables.predicate import Condition, Predicate
from assay.tables.traits import TRAITS, trait

ROWS = pl.DataFrame(
    {
        "age": [30.0, 50.0, None, float("nan"), 61.0],
        "region": ["north", "south", "north", None, "north"],
        "text": ["It isn't good", "Le chat est dans la maison", "", None, "READ 7 pages!"],
    }
)


def test_a_conjunction_selects_and_reads_as_a_sentence() -> None:
    predicate = Predicate((Condition("age", ">", 40), Condition("region", "=", "north")))
    assert predicate.select(ROWS).tolist() == [False, False, False, False, True]
    assert predicate.words == 'age > 40 and region = "north"'


@pytest.mark.parametrize(
    ("column", "value", "chosen"),
    [
        ("level", 1.0, [1, 0, 0]),
        ("level", "1", [1, 0, 0]),
        ("level", "1.0", [1, 0, 0]),
        ("level", 1.1234567, [0, 1, 0]),
        ("big", 1234567.0, [1, 0, 0]),
        ("big", "1234567890123456", [0, 1, 0]),
        ("big", -2.0, [0, 0, 1]),
        ("big", "many", [0, 0, 0]),
        ("code", 1234567.0, [1, 0, 0]),
        ("code", "1.0", [0, 1, 0]),
        ("code", 0.1234567, [0, 0, 1]),
    ],
)
def test_numbers_are_equal_by_what_they_are_worth(
    column: str, value: float | str, chosen: list[int]
) -> None:
    rows = pl.DataFrame(
        {
            "level": [1.0, 1.1234567, None],
            "big": [1234567, 1234567890123456, -2],
            "code": ["1234567", "1.0", "0.1234567"],
        }
    )
    assert Condition(column, "=", value).select(rows).tolist() == chosen
    known = rows[column].is_not_null().to_list()
    other = Condition(column, "!=", value).select(rows).tolist()
    assert other == [there and not same for there, same in zip(known, chosen, strict=True)]


def test_a_whole_number_is_read_aloud_to_the_last_digit() -> None:
    words = [Condition("big", "=", each).words for each in (-1234567.0, 40.0, 0.1234567, 1e20)]
    assert words == ["big = -1234567", "big = 40", "big = 0.123457", "big = 1e+20"]


def test_an_empty_cell_fulfils_only_that_it_is_empty() -> None:
    for operator, value in (("<=", 99.0), (">", 0.0), ("!=", "x"), ("=", "null")):
        assert not Condition("age", operator, value).select(ROWS)[2]  # type: ignore[arg-type]
    assert Condition("age", "is empty").select(ROWS).tolist() == [False, False, True, False, False]


def test_traits_see_what_they_say() -> None:
    assert trait(ROWS, "text", "negation").to_list()[:2] == [True, False]
    assert trait(ROWS, "text", "language").to_list()[1] == "French"
    assert trait(ROWS, "text", "words").to_list() == [3, 6, 0, None, 3]
    assert trait(ROWS, "text", "shouting").to_list()[4] is True
    for name in TRAITS:
        assert trait(ROWS, "text", name).len() == ROWS.height
    assert Condition("text", "=", True, "numbers").words == "text with numbers"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Condition("age", "<", 3),  # type: ignore[arg-type]
        lambda: Condition("age", ">", "many"),
        lambda: Condition("text", "=", True, "beauty"),
        lambda: Condition("height", ">", 3).select(ROWS),
        lambda: Condition("region", ">", 3).select(ROWS),
        lambda: Predicate.from_dict({"any": []}),
    ],
)
def test_what_cannot_be_asked_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]


@given(st.floats(allow_nan=False, allow_infinity=False), st.text(), st.sampled_from(["=", "!="]))
def test_json_brings_the_same_predicate_back(number: float, word: str, operator: str) -> None:
    predicate = Predicate(
        (Condition("age", ">", number), Condition("region", operator, word))  # type: ignore[arg-type]
    )
    assert Predicate.from_dict(predicate.as_dict()) == predicate
