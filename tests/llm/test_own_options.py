"""Rows that choose among options of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import InputError
from assay.llm import Gateway, Prompt, ScriptedModel

Make = Callable[..., Gateway]
LISTS = [["a", "b"], ["b", "c"], ["a", "b"]]


def prompts(*texts: str) -> list[Prompt]:
    return [Prompt("Which?", text) for text in texts]


def likes_b(_: Prompt, options: Sequence[str]) -> list[float]:
    return [0.9 if each == "b" else 0.1 for each in options]


class Counting:
    """A model on this machine that counts how often it is asked."""

    name = "local:counting"

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], int]] = []

    def choose(
        self, prompts: Sequence[Prompt], options: Sequence[str], *, on_batch: Any, **_: Any
    ) -> NDArray[np.float64]:
        self.asked.append((tuple(options), len(prompts)))
        found = np.array([likes_b(each, options) for each in prompts])
        on_batch(np.arange(len(prompts)), found)
        return found

    def generate(self, prompt: Prompt, schema: Any) -> Any:
        raise NotImplementedError


def test_columns_follow_each_rows_own_list(gateway: Make) -> None:
    model = ScriptedModel(likes_b)
    found = gateway(model).choose(model.name, prompts("1", "2", "3"), LISTS)
    assert found.probabilities.argmax(axis=1).tolist() == [1, 0, 1]
    assert found.best == ["b", "b", "b"]


def test_what_a_row_chooses_among_is_part_of_the_question(gateway: Make) -> None:
    model = ScriptedModel(likes_b)
    asking = gateway(model)
    asking.choose(model.name, prompts("1", "2", "3"), LISTS)
    again = asking.choose(model.name, prompts("1", "2", "3"), [["b", "a"], *LISTS[1:]])
    assert again.status.tolist() == ["answered", "cached", "cached"]
    assert asking.choose(model.name, prompts("1"), ["a", "b"]).status.tolist() == ["answered"]


def test_a_model_on_this_machine_is_asked_once_for_each_list(gateway: Make) -> None:
    model = Counting()
    found = gateway(model).choose(model.name, prompts("1", "2", "3"), LISTS)
    assert sorted(model.asked) == [(("a", "b"), 2), (("b", "c"), 1)]
    assert found.best == ["b", "b", "b"]


def test_shorter_lists_are_estimated_to_take_fewer_tokens(gateway: Make) -> None:
    asking = gateway(ScriptedModel())
    names = [f"class number {number}" for number in range(77)]
    everything = asking.estimate("scripted:model", prompts("1", "2"), names)
    some = asking.estimate("scripted:model", prompts("1", "2"), [names[:10], names[5:15]])
    assert some.requests == everything.requests == 2
    assert some.tokens_in < everything.tokens_in / 3


@pytest.mark.parametrize("lists", [LISTS[:2], [["a", "b"], ["a"], ["a", "b"]], [["a", "a"]] * 3])
def test_lists_that_do_not_fit_are_refused(lists: list[list[str]], gateway: Make) -> None:
    model = ScriptedModel()
    with pytest.raises(InputError, match="ptions"):
        gateway(model).choose(model.name, prompts("1", "2", "3"), lists)
    assert not model.asked
