"""Which providers take batches, and at what price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assay.errors import InputError
from assay.llm.batch.anthropic import AnthropicBatches
from assay.llm.batch.openai import OpenAIBatches
from assay.llm.batch.server import BatchServer
from assay.llm.forecast import Estimate
from assay.llm.model import Price
from assay.llm.transport import Connection

_SERVERS: dict[str, Callable[[Connection], BatchServer]] = {
    "openai": OpenAIBatches,
    "openai-responses": OpenAIBatches,
    "anthropic": AnthropicBatches,
    "http": OpenAIBatches,
    "https": OpenAIBatches,
}
MOST_SECONDS = 24 * 3600.0
"""What has no answer after a day expires, at every provider."""
_HALF_PRICE = {"openai", "openai-responses", "anthropic"}


def require_batches(name: str) -> None:
    """Raise `InputError` where the model's provider takes no batches."""
    if name.partition(":")[0] not in _SERVERS:
        raise InputError(
            "This model's provider takes no batches.",
            given=name,
            allowed="openai:MODEL, openai-responses:MODEL, anthropic:MODEL, http://HOST/v1#MODEL",
            next_step="choose such a model, or ask without --batch",
        )


def batches_of(model: Any) -> BatchServer:
    """Return the way to the batches of a model's provider; raise `InputError` as above."""
    require_batches(model.name)
    return _SERVERS[model.name.partition(":")[0]](model.connection)


def in_batches(told: Estimate) -> Estimate:
    """Return an estimate whose question says that it is put in batches, which may take a day.

    Raises
    ------
    InputError
        As :func:`require_batches` does.
    """
    require_batches(told.model)
    seconds = MOST_SECONDS if told.requests else 0.0
    return replace(told, question=f"{told.question} in batches", seconds=seconds)


def batch_price(name: str, price: Price) -> Price:
    """Return the price of a token in a batch: half, at the providers that promise so.

    A server at an address promises nothing, so its tokens are reserved at the whole price.
    """
    if name.partition(":")[0] not in _HALF_PRICE:
        return price
    return Price(-(-price.read // 2), -(-price.write // 2))
