"""Which providers take batches, and at what price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.errors import InputError
from assay.llm.batch.anthropic import AnthropicBatches
from assay.llm.batch.openai import OpenAIBatches
from assay.llm.batch.server import BatchServer
from assay.llm.model import Price
from assay.llm.transport import Connection

_SERVERS: dict[str, Callable[[Connection], BatchServer]] = {
    "openai": OpenAIBatches,
    "openai-responses": OpenAIBatches,
    "anthropic": AnthropicBatches,
    "http": OpenAIBatches,
    "https": OpenAIBatches,
}
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


def batch_price(name: str, price: Price) -> Price:
    """Return the price of a token in a batch: half, at the providers that promise so.

    A server at an address promises nothing, so its tokens are reserved at the whole price.
    """
    if name.partition(":")[0] not in _HALF_PRICE:
        return price
    return Price(-(-price.read // 2), -(-price.write // 2))
