"""A real llama.cpp server, serving the embedded model, asked as any remote one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pydantic import BaseModel

from assay.llm import Gateway, Prompt

pytestmark = [pytest.mark.slow, pytest.mark.embedded]


class Count(BaseModel):
    number: int


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    llama = pytest.importorskip("xllamacpp")
    from assay.assets import fetch

    params = llama.CommonParams()
    params.model.path = str(fetch("smollm2-135m", progress=False))
    params.n_ctx = 2048
    params.port = 0
    params.cpuparams.n_threads = 2
    server = llama.Server(params)
    yield f"{server.listening_address}/v1#smollm2"
    del server


def test_it_chooses_generates_and_remembers(address: str, gateway: Callable[..., Gateway]) -> None:
    rows = [Prompt("Which animal says this?", text) for text in ("Woof woof!", "Meow, purr.")]
    opened = gateway()
    choices = opened.choose(address, rows, ["a dog", "a cat"])
    assert choices.complete, choices.why
    assert choices.how == "log-probabilities"
    np.testing.assert_allclose(choices.probabilities.sum(axis=1), 1)
    made = opened.generate(address, [Prompt("Give a number.", "seven apples")], Count)
    assert isinstance(made[0], Count), made.why
    assert opened.choose(address, rows, ["a dog", "a cat"]).cached.all()
    assert opened.spend.calls >= 5
    assert opened.spend.tokens > 100
