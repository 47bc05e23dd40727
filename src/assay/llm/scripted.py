"""ScriptedModel: a language model that answers from a function, for tests and examples."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.llm.model import Capabilities, Reply, RowError, Usage
from assay.llm.prompt import Prompt

Chooser = Callable[[Prompt, Sequence[str]], "Sequence[float] | str | Exception"]
Generator = Callable[[Prompt], "Mapping[str, Any] | Exception"]
DIMENSION = 32


class ScriptedModel:
    """Answers from functions; never leaves the machine, and counts what it was asked.

    Parameters
    ----------
    choose
        From prompt and options to probabilities, or to the one option; an exception that it
        returns is raised, so that failures can be scripted. By default all are equally likely.
    generate
        From prompt to the fields of the answer, or an exception.
    embed
        From text to a vector; by default a fixed pseudo-random one of 32 numbers.
    name
        The part after ``scripted:``.
    seconds
        How long each answer takes.
    """

    parameters: Mapping[str, Any] = {}

    def __init__(
        self,
        choose: Chooser | None = None,
        generate: Generator | None = None,
        embed: Callable[[str], Sequence[float]] | None = None,
        *,
        name: str = "model",
        seconds: float = 0.0,
    ) -> None:
        self.name = f"scripted:{name}"
        self.capabilities = Capabilities(choose="exact", generate=True, embed=True)
        self.asked: list[Prompt] = []
        self._choose = choose or (lambda _, options: [1 / len(options)] * len(options))
        self._generate = generate
        self._embed = embed or _hashed
        self._seconds = seconds

    def worst(self, prompt: Prompt, question: str, extra: str) -> Usage:
        """Return the words of the prompt and one for the answer."""
        return _usage(prompt)

    async def choose(self, prompt: Prompt, options: Sequence[str], part: int) -> Reply:
        """Reply with what the script says."""
        given = await self._said(prompt, self._choose(prompt, options))
        if isinstance(given, str):
            given = [float(option == given) for option in options]
        return Reply({"p": [float(each) for each in given], "floored": []}, _usage(prompt))

    async def generate(self, prompt: Prompt, schema: Mapping[str, Any], correction: str) -> Reply:
        """Reply with what the script says."""
        if self._generate is None:
            raise RowError("This scripted model has no answers to generate.")
        given = await self._said(prompt, self._generate(prompt))
        return Reply(dict(given), _usage(prompt))

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        """Return what the script says."""
        words = sum(len(text.split()) for text in texts)
        return np.array([self._embed(text) for text in texts], dtype=np.float32), Usage(words)

    async def close(self) -> None:
        """Do nothing."""

    async def _said(self, prompt: Prompt, given: Any) -> Any:
        self.asked.append(prompt)
        if self._seconds:
            await asyncio.sleep(self._seconds)
        if isinstance(given, Exception):
            raise given
        return given


def _usage(prompt: Prompt) -> Usage:
    parts = [prompt.instructions, prompt.text]
    parts += [part for each in prompt.examples for part in (each.text, each.answer)]
    return Usage(sum(len(part.split()) for part in parts), 1)


def _hashed(text: str) -> NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)
