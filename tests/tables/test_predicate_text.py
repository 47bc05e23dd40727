from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.tables.predicate import Condition, Predicate
from assay.tables.predicate_text import predicate_from_words

COLUMN = st.sampled_from(["age", "price per unit", "région", "x_1"])
NUMBER = st.integers(-1000, 1000).map(float) | st.sampled_from([0.5, 1e-3, 12.25])
WORD = st.sampled_from(["north", "black and white", "a = b", "is empty", "true story", ""])
CONDITION = (
    st.builds(Condition, COLUMN, st.sampled_from(["<=", ">"]), NUMBER)
    | st.builds(Condition, COLUMN, st.sampled_from(["=", "!="]), WORD)
    | st.builds(Condition, COLUMN, st.just("contains"), WORD.filter(bool))
    | st.builds(Condition, COLUMN, st.sampled_from(["is empty", "is not empty"]))
    | st.builds(Condition, COLUMN, st.just("<="), NUMBER, st.just("words"))
)


@given(st.lists(CONDITION, min_size=1, max_size=3))
def test_a_predicate_is_read_back_from_its_words(conditions: list[Condition]) -> None:
    predicate = Predicate(tuple(conditions))
    assert predicate_from_words(predicate.words) == predicate


@pytest.mark.parametrize("text", ["", "age", "age over 40", "age > 40 and", 'age > "old"'])
def test_what_is_no_condition_is_named(text: str) -> None:
    with pytest.raises(InputError):
        predicate_from_words(text)
