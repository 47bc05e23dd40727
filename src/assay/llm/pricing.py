"""What a token costs: from the user's own prices first, then from the package genai-prices."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from assay.errors import InputError, MissingExtraError
from assay.llm.budget import PER_DOLLAR
from assay.llm.catalogue import PROVIDERS
from assay.llm.model import Price

_HERE = {"localhost", "127.0.0.1", "::1"}
_NAMES = {"gemini": "google", "openai-responses": "openai"}
_SAMPLE = 1000
"""Tokens priced at once, few enough that no provider's higher tier begins."""


def price_of(name: str, own: Mapping[str, Price], *, unpriced_ok: bool = False) -> Price:
    """Return the price of a model's tokens.

    Parameters
    ----------
    name
        ``provider:model``.
    own
        The user's own prices by model name; they go first.
    unpriced_ok
        Whether a model without a known price may be asked, at price 0.

    Raises
    ------
    InputError
        When no price is known and that is not accepted.
    """
    found = _known(name, own)
    if found is None and not unpriced_ok:
        raise InputError(
            "No price of this model is known, so no budget in money could hold.",
            given=name,
            next_step="give its price, or accept it unpriced with --unpriced-ok",
        )
    return found or Price()


def is_priced(name: str, own: Mapping[str, Price]) -> bool:
    """Whether the price of a model's tokens is known; parameters are those of :func:`price_of`."""
    return _known(name, own) is not None


def _known(name: str, own: Mapping[str, Price]) -> Price | None:
    if name in own:
        return own[name]
    return Price() if _is_free(name) else _listed(name)


def per_million(read: float, write: float) -> Price:
    """Return the price of one token from US dollars for a million, as providers print them."""
    return Price(round(read * PER_DOLLAR / 10**6), round(write * PER_DOLLAR / 10**6))


def _is_free(name: str) -> bool:
    """Whether the model runs on this machine."""
    provider = name.partition(":")[0]
    if provider in ("local", "scripted"):
        return True
    address = name if provider in ("http", "https") else None
    if address is None and provider in PROVIDERS and PROVIDERS[provider].key is None:
        address = PROVIDERS[provider].base
    return address is not None and (urlsplit(address).hostname or "") in _HERE


def _listed(name: str) -> Price | None:
    provider, _, model = name.partition(":")
    if provider not in PROVIDERS:
        return None
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        raise MissingExtraError("The list of prices", "remote") from None

    def one(usage: Usage) -> int:
        total = calc_price(usage, model, provider_id=_NAMES.get(provider, provider)).total_price
        return int((total * PER_DOLLAR / _SAMPLE).to_integral_value())

    try:
        read = one(Usage(input_tokens=_SAMPLE, output_tokens=0))
        return Price(read, one(Usage(input_tokens=0, output_tokens=_SAMPLE)))
    except (LookupError, ValueError):  # no such provider or model in the list
        return None
