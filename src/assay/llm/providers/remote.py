"""RemoteModel: a wire format and a connection, made into a model that can be asked."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticSerializationError, to_json

from assay.llm.model import Capabilities, Reply, RowError, Usage
from assay.llm.prompt import Example, Prompt
from assay.llm.providers.wire import (
    DATA_RULE,
    Request,
    Wire,
    choice_system,
    choice_turns,
    codes,
    order,
    probabilities,
    turns,
)
from assay.llm.transport import Connection

_OVERHEAD = 200
"""Tokens for the fixed words and the format of a request; more than any format needs."""


@lru_cache(maxsize=256)
def _bytes_shared(instructions: str, examples: tuple[Example, ...], extra: str) -> int:
    texts = [instructions, extra]
    texts += [part for each in examples for part in (each.text, each.answer)]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


_SHORTEST = 16
"""Most tokens of an answer of which only the first is read."""


class RemoteModel:
    """A language model behind HTTP.

    Parameters
    ----------
    name
        ``provider:model``, as the ledger knows it.
    model
        The model's name at its server.
    wire
        The format that the server speaks.
    connection
        The way there.
    capabilities
        What the model can do.
    max_tokens
        Most tokens of a generated object.
    takes_temperature
        Whether a temperature may be sent.
    """

    def __init__(
        self,
        name: str,
        model: str,
        wire: Wire,
        connection: Connection,
        capabilities: Capabilities,
        *,
        max_tokens: int = 1024,
        takes_temperature: bool = True,
    ) -> None:
        self.name = name
        self.model = model
        self.capabilities = capabilities
        self.connection = connection
        self.max_tokens = max_tokens
        self._wire = wire
        self._takes_temperature = takes_temperature

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What decides an answer beside the prompt."""
        how = self.capabilities.choose
        return {"max_tokens": self.max_tokens, "choose": how, "parts": self.capabilities.parts}

    def worst(self, prompt: Prompt, question: str, extra: str) -> Usage:
        """Return an upper bound: a token is at least one byte."""
        shared = _bytes_shared(prompt.instructions, prompt.examples, extra)
        read = shared + len(prompt.text.encode("utf-8", "surrogatepass")) + _OVERHEAD
        one_token = question == "choose" and self.capabilities.choose == "log-probabilities"
        return Usage(read, _SHORTEST if one_token else self.max_tokens)

    def over(self, connection: Any) -> RemoteModel:
        """Return this model at the end of another connection."""
        other = copy.copy(self)
        other.connection = connection
        return other

    async def choose(self, prompt: Prompt, options: Sequence[str], part: int) -> Reply:
        """Reply with probabilities, by log-probabilities or from one sample."""
        shown = order(prompt, len(options), part)
        system = choice_system(prompt.instructions, tuple(options), tuple(shown))
        said = choice_turns(prompt, options, shown)
        if self.capabilities.choose == "samples":
            return await self._sample(system, said, shown, part)
        body = await self._post(self._wire.choose(self.model, system, said), part)
        tokens, usage = self._wire.read_choice(body)
        p, floored = probabilities(tokens, len(options), shown)
        return Reply({"p": p, "floored": floored}, usage, self.connection.allowances)

    async def generate(self, prompt: Prompt, schema: Mapping[str, Any], correction: str) -> Reply:
        """Reply with an object."""
        system = "\n\n".join(filter(None, [prompt.instructions, DATA_RULE]))
        if correction:
            system += f"\n\nYour last answer was not valid: {correction}. Answer again."
        request = self._wire.generate(
            self.model,
            system,
            turns(prompt),
            schema,
            max_tokens=self.max_tokens,
            temperature=0 if self._takes_temperature else None,
        )
        value, usage = self._wire.read_object(await self._post(request))
        return Reply(value, usage, self.connection.allowances)

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], Usage]:
        """Return the embeddings of texts."""
        body = await self._post(self._wire.embed(self.model, texts))
        return self._wire.read_vectors(body, len(texts))

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.close()

    async def _sample(
        self, system: str, said: Sequence[tuple[str, str]], shown: Sequence[int], part: int
    ) -> Reply:
        """Draw one answer; over the parts of a row, frequencies become probabilities."""
        count = len(shown)
        known = codes(count)
        schema = {
            "type": "object",
            "properties": {"code": {"type": "string", "enum": list(known)}},
            "required": ["code"],
            "additionalProperties": False,
        }
        request = self._wire.generate(
            self.model,
            system,
            said,
            schema,
            max_tokens=self.max_tokens,
            temperature=1 if self._takes_temperature else None,
        )
        value, usage = self._wire.read_object(await self._post(request, part))
        code = value.get("code") if isinstance(value, dict) else None
        p, _ = probabilities({str(code): 0.0}, count, shown)
        likeliest = max(range(count), key=p.__getitem__)
        p = [float(each == likeliest) for each in range(count)]
        return Reply({"p": p}, usage, self.connection.allowances)

    async def _post(self, request: Request, part: int = 0) -> dict[str, Any]:
        """Send a request under a key that is the same whenever the same thing is asked again."""
        try:
            body = to_json(request.body)
        except PydanticSerializationError:  # a lone surrogate
            raise RowError("The text is not valid Unicode.", kind="malformed") from None
        key = hashlib.sha256(b"%d:%s:" % (part, self.name.encode()))
        key.update(body)
        headers = {**request.headers, "Idempotency-Key": key.hexdigest()[:32]}
        return await self.connection.post(request.path, body, headers=headers)
