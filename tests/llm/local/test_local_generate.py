from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field, field_validator

from assay.errors import InputError, ModelError
from assay.llm.local.model import LocalModel
from assay.llm.prompt import Prompt

PROMPT = Prompt("Describe it.", "the band")


class Inner(BaseModel):
    level: int = Field(ge=0, le=9)


class Card(BaseModel):
    topic: Literal["sport", "trade"]
    flag: bool
    inner: Inner
    words: list[Literal["a", "b"]] = Field(max_length=3)


class Free(BaseModel):
    text: str


class Node(BaseModel):
    children: list[Node]


class Odd(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _never(cls, value: int) -> int:
        raise ValueError("numbers are odd")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_always_fits_its_schema(tiny_model: LocalModel, temperature: float) -> None:
    for seed in range(3):
        card = tiny_model.generate(PROMPT, Card, seed=seed, temperature=temperature)
        assert Card.model_validate_json(card.model_dump_json()) == card


def test_a_seed_repeats_its_answer(tiny_model: LocalModel) -> None:
    answers = [
        tiny_model.generate(PROMPT, Card, seed=seed, temperature=2.0) for seed in (1, 1, 2, 3, 4)
    ]
    assert answers[0] == answers[1]
    assert len({answer.model_dump_json() for answer in answers}) > 1


@pytest.mark.parametrize("max_tokens", [40, 80])
def test_free_text_is_closed_in_time(tiny_model: LocalModel, max_tokens: int) -> None:
    answers = [
        tiny_model.generate(PROMPT, Free, max_tokens=max_tokens, seed=seed, temperature=1.0)
        for seed in range(8)
    ]
    assert max(len(answer.text) for answer in answers) > max_tokens / 4


def test_an_answer_that_cannot_end_in_time_is_an_error(tiny_model: LocalModel) -> None:
    with pytest.raises(ModelError, match="did not end within max_tokens"):
        tiny_model.generate(PROMPT, Card, max_tokens=10)


def test_a_recursive_schema_is_refused(tiny_model: LocalModel) -> None:
    with pytest.raises(InputError, match="Node refers to itself"):
        tiny_model.generate(PROMPT, Node)


def test_a_schema_without_a_grammar_is_refused(tiny_model: LocalModel) -> None:
    class Negative(BaseModel):
        text: str = Field(json_schema_extra={"not": {"type": "string"}})

    with pytest.raises(InputError, match="Negative has no grammar"):
        tiny_model.generate(PROMPT, Negative)


def test_a_rule_beyond_the_grammar_is_checked(tiny_model: LocalModel) -> None:
    with pytest.raises(ModelError, match="numbers are odd"):
        tiny_model.generate(PROMPT, Odd)


def test_meaningless_limits_are_refused(tiny_model: LocalModel) -> None:
    with pytest.raises(InputError, match="max_tokens must be positive"):
        tiny_model.generate(PROMPT, Free, max_tokens=0)
