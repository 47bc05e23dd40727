from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from assay.errors import BudgetError, InputError, LedgerError, ModelError
from assay.ledger import Ledger
from assay.llm import Budget, Example, Gateway, Progress, Prompt, ScriptedModel
from assay.llm.model import HopelessError, RowError, TransientError
from assay.llm.questions import Keys

Make = Callable[..., Gateway]


def prompts(*texts: str) -> list[Prompt]:
    return [Prompt("Which?", text) for text in texts]


def test_probabilities_come_in_the_order_of_rows_and_options(gateway: Make) -> None:
    model = ScriptedModel(lambda prompt, options: "b" if "2" in prompt.text else [0.75, 0.25])
    choices = gateway(model).choose(model.name, prompts("1", "2", "1"), ["a", "b"])
    np.testing.assert_array_equal(choices.probabilities, [[0.75, 0.25], [0, 1], [0.75, 0.25]])
    assert choices.best == ["a", "b", "a"]
    assert choices.complete
    assert choices.how == "exact"


def test_what_was_answered_is_not_asked_again(gateway: Make) -> None:
    model = ScriptedModel()
    first = gateway(model).choose(model.name, prompts("1", "2", "1"), ["a", "b"])
    assert len(model.asked) == 2
    again = gateway(model).choose(model.name, prompts("1", "2", "3"), ["a", "b"])
    assert [each.text for each in model.asked[2:]] == ["3"]
    assert again.status.tolist() == ["cached", "cached", "answered"]
    assert again.cached.tolist() == [True, True, False]
    np.testing.assert_array_equal(again.probabilities[:2], first.probabilities[:2])
    gateway(model).choose(model.name, prompts("1"), ["a", "c"])
    assert len(model.asked) == 4


def test_a_row_that_fails_fails_alone_and_is_asked_again(gateway: Make) -> None:
    refused = {"2"}
    model = ScriptedModel(
        lambda prompt, _: RowError("refused") if prompt.text in refused else [0.5, 0.5]
    )
    choices = gateway(model).choose(model.name, prompts("1", "2", "3"), ["a", "b"])
    assert choices.status.tolist() == ["answered", "failed", "answered"]
    assert choices.why == {1: "refused"}
    assert np.isnan(choices.probabilities[1]).all()
    assert choices.best[1] is None
    refused.clear()
    model.asked.clear()
    assert gateway(model).choose(model.name, prompts("1", "2", "3"), ["a", "b"]).complete
    assert [each.text for each in model.asked] == ["2"]


def test_a_busy_server_is_asked_again_until_the_attempts_are_spent(gateway: Make) -> None:
    busy = {"1": 2, "2": 99}

    def answer(prompt: Prompt, _: Any) -> Any:
        busy[prompt.text] -= 1
        return TransientError("busy", kind="rate") if busy[prompt.text] >= 0 else [1.0, 0.0]

    model = ScriptedModel(answer)
    choices = gateway(model).choose(model.name, prompts("1", "2"), ["a", "b"])
    assert choices.status.tolist() == ["answered", "failed"]
    assert len(model.asked) == 6


def test_a_hopeless_error_stops_the_question_and_keeps_what_was_answered(gateway: Make) -> None:
    def answer(prompt: Prompt, _: Any) -> Any:
        return HopelessError("wrong key") if prompt.text == "60" else [0.5, 0.5]

    model = ScriptedModel(answer, seconds=0.005)
    rows = prompts(*map(str, range(500)))
    with pytest.raises(ModelError, match="wrong key"):
        gateway(model).choose(model.name, rows, ["a", "b"])
    asked = len(model.asked)
    assert asked < 150
    again = gateway(ScriptedModel()).choose(model.name, rows, ["a", "b"])
    assert again.cached.sum() == asked - 1


@pytest.mark.parametrize("cap", [0, 1, 7, 40])
def test_no_more_calls_than_the_cap(gateway: Make, cap: int) -> None:
    model = ScriptedModel(seconds=0.002)
    opened = gateway(model, budget=Budget(calls=cap))
    choices = opened.choose(model.name, prompts(*map(str, range(60))), ["a", "b"])
    assert len(model.asked) == cap == opened.spend.calls
    assert (choices.status == "answered").sum() == cap
    assert set(choices.why.values()) == {"the budget's cap on calls was reached"}
    assert len(choices.why) == 60 - cap


def test_no_more_tokens_than_the_cap(gateway: Make) -> None:
    model = ScriptedModel(seconds=0.002)
    opened = gateway(model, budget=Budget(tokens=31))  # a prompt takes 2 and 1
    opened.choose(model.name, prompts(*map(str, range(60))), ["a", "b"])
    assert opened.spend.tokens == 30


def test_minutes_stop_a_question(gateway: Make) -> None:
    model = ScriptedModel(seconds=0.05)
    opened = gateway(model, budget=Budget(minutes=0.2 / 60))
    choices = opened.choose(model.name, prompts(*map(str, range(500))), ["a", "b"])
    assert 0 < (choices.status == "answered").sum() < 500
    assert "minutes" in choices.why[499]
    assert opened.spend.unsettled == 0


def test_gateways_on_one_run_share_its_budget(gateway: Make, ledger: Ledger) -> None:
    run = ledger.start_run("shared", {})
    model = ScriptedModel(seconds=0.002)
    opened = [gateway(model, run=run, budget=Budget(calls=25)) for _ in range(3)]
    threads = [
        threading.Thread(
            target=each.choose,
            args=(model.name, prompts(*(f"{index}-{row}" for row in range(30))), ["a", "b"]),
        )
        for index, each in enumerate(opened)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(model.asked) == 25
    assert [each.spend.calls for each in opened] == [25] * 3


def test_answers_from_the_ledger_are_free_beyond_the_cap(gateway: Make) -> None:
    model = ScriptedModel()
    gateway(model).choose(model.name, prompts(*map(str, range(50, 100))), ["a", "b"])
    opened = gateway(model, budget=Budget(calls=5))
    choices = opened.choose(model.name, prompts(*map(str, range(100))), ["a", "b"])
    assert choices.cached.tolist() == [row >= 50 for row in range(100)]
    assert (choices.status == "answered").sum() == 5


@pytest.mark.parametrize("bad", [{"calls": -1}, {"money": float("nan")}, {"minutes": -0.1}])
def test_a_budget_that_makes_no_sense_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"budget.{next(iter(bad))}"):
        Budget(**bad)  # type: ignore[arg-type]


class Words(BaseModel):
    words: int = Field(ge=1)


def test_objects_are_validated_and_kept(gateway: Make) -> None:
    model = ScriptedModel(generate=lambda prompt: {"words": len(prompt.text)})
    made = gateway(model).generate(model.name, prompts("a", "bb"), Words)
    assert list(made) == [Words(words=1), Words(words=2)]
    again = gateway(model).generate(model.name, prompts("a", "bb"), Words)
    assert list(again) == list(made)
    assert again.cached.all()


def test_an_invalid_object_is_asked_again_at_most_twice(gateway: Make) -> None:
    answers = {"soon": [0, 3], "never": [0] * 9}
    model = ScriptedModel(generate=lambda prompt: {"words": answers[prompt.text].pop(0)})
    opened = gateway(model)
    made = opened.generate(model.name, prompts("soon", "never"), Words)
    assert list(made) == [Words(words=3), None]
    assert "greater than or equal to 1" in made.why[1]
    assert len(model.asked) == 2 + 3
    assert opened.spend.calls == 5
    assert opened.spend.unsettled == 0


def test_embeddings_are_bought_once(gateway: Make) -> None:
    model = ScriptedModel()
    first = gateway(model).embed(model.name, ["x", "y", "x"])
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first[0], first[2])
    opened = gateway(model)
    np.testing.assert_array_equal(opened.embed(model.name, ["y"])[0], first[1])
    assert opened.spend.calls == 0
    assert opened.embed(model.name, []).shape[0] == 0
    with pytest.raises(BudgetError, match="calls"):
        gateway(model, budget=Budget(calls=0)).embed(model.name, ["new"])


def test_it_works_inside_a_running_event_loop(gateway: Make) -> None:
    model = ScriptedModel()

    async def notebook() -> bool:
        return gateway(model).choose(model.name, prompts("1"), ["a", "b"]).complete

    assert asyncio.run(notebook())


def test_progress_is_told_to_the_end(gateway: Make) -> None:
    told: list[Progress] = []
    model = ScriptedModel(seconds=0.01)
    opened = gateway(model, progress=told.append)
    opened.choose(model.name, prompts(*map(str, range(100))), ["a", "b"])
    assert told[-1].done == told[-1].total == 100
    assert [each.done for each in told] == sorted(each.done for each in told)


def test_errors_are_told_by_kind(gateway: Make, ledger: Ledger) -> None:
    told: list[Progress] = []
    model = ScriptedModel(lambda *_: RowError("no", kind="refused"))
    gateway(model, progress=told.append).choose(model.name, prompts("1", "2"), ["a", "b"])
    assert told[-1].errors == {"refused": 2}
    event = ledger.entries("event")[-1].body
    assert (event["failed"], event["errors"]) == (2, {"refused": 2})


def test_a_prompt_sequence_is_read_as_it_is_needed(gateway: Make) -> None:
    class Lazy(list[Prompt]):
        made = 0

        def __len__(self) -> int:
            return 10_000

        def __getitem__(self, index: Any) -> Any:
            Lazy.made += 1
            return Prompt("Which?", str(index))

    model = ScriptedModel(lambda prompt, _: HopelessError("stop") if prompt.text == "9" else "a")
    with pytest.raises(ModelError, match="stop"):
        gateway(model).choose(model.name, Lazy(), ["a", "b"])
    assert Lazy.made < 200


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smollm2-135m", "provider:model"),
        ("opneai:x", "openai"),
        ("local:smollm", "smollm2-135m"),
        ("http://127.0.0.1:1/v1", "#MODEL"),
    ],
)
def test_names_that_stand_for_nothing_are_told_with_the_nearest(
    gateway: Make, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    with pytest.raises(InputError, match=told):
        gateway().choose(name, prompts("1"), ["a", "b"])


def test_real_models_are_not_loaded_in_tests(gateway: Make) -> None:
    with pytest.raises(ModelError, match="forbidden"):
        gateway().choose("openai:gpt-5", prompts("1"), ["a", "b"])


def test_options_must_be_different(gateway: Make) -> None:
    with pytest.raises(InputError, match="two different"):
        gateway(ScriptedModel()).choose("scripted:model", prompts("1"), ["a", "a"])


class Bulk:
    """A model on this machine that answers in batches of three."""

    name = "scripted:bulk"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fail_after = 10**9

    def choose(
        self, prompts: Any, options: Any, *, on_batch: Any = None, max_text_tokens: Any = None
    ) -> np.ndarray:
        for start in range(0, len(prompts), 3):
            if start >= self.fail_after:
                raise RuntimeError("power cut")
            batch = prompts[start : start + 3]
            self.asked += [each.text for each in batch]
            on_batch(np.arange(start, start + len(batch)), np.full((len(batch), 2), 0.5))
        return np.empty(0)

    def generate(self, prompt: Prompt, schema: type[BaseModel]) -> BaseModel:
        if prompt.text == "bad":
            raise ModelError("did not fit")
        return schema.model_validate({"words": len(prompt.text)})


def test_batches_of_a_local_model_are_kept_as_they_come(gateway: Make) -> None:
    model = Bulk()
    model.fail_after = 6
    rows = prompts(*map(str, range(10)))
    with pytest.raises(RuntimeError, match="power cut"):
        gateway(model).choose(model.name, rows, ["a", "b"])
    model.fail_after = 10**9
    choices = gateway(model).choose(model.name, [*rows, *rows], ["a", "b"])
    assert model.asked == [str(row) for row in range(10)]
    assert choices.cached.sum() == 12
    assert choices.complete


def test_a_local_model_keeps_to_the_budget_and_generates(gateway: Make) -> None:
    model = Bulk()
    opened = gateway(model, budget=Budget(calls=4))
    choices = opened.choose(model.name, prompts(*map(str, range(10))), ["a", "b"])
    assert choices.status.tolist() == ["answered"] * 4 + ["unasked"] * 6
    made = gateway(model).generate(model.name, prompts("abc", "bad"), Words)
    assert list(made) == [Words(words=3), None]
    assert made.why == {1: "did not fit"}


texts = st.text(max_size=8)
some_prompts = st.builds(
    Prompt, texts, texts, st.lists(st.builds(Example, texts, texts), max_size=2).map(tuple)
)


@given(one=some_prompts, two=some_prompts)
def test_keys_differ_exactly_when_what_is_asked_differs(one: Prompt, two: Prompt) -> None:
    keys = Keys("m", "choose", "[]", {})
    assert (keys.of(one) == keys.of(two)) == (one == two)
    assert keys.of(one) == Keys("m", "choose", "[]", {}).of(one)
    assert keys.of(one) != keys.of(one, 1)
    assert keys.of(one) != Keys("n", "choose", "[]", {}).of(one)


def test_a_ledger_that_cannot_be_written_stops_the_question(
    gateway: Make, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(seconds=0.001)
    opened = gateway(model)
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 70")
    began = time.monotonic()
    with pytest.raises(LedgerError, match="full"):
        opened.choose(model.name, prompts(*(str(row) * 50 for row in range(5000))), ["a", "b"])
    assert time.monotonic() - began < 60
