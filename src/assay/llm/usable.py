"""Which models can be asked now, and why others cannot."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from assay.errors import ModelError
from assay.llm.catalogue import PROVIDERS, Provider
from assay.llm.guard import real_calls_allowed
from assay.llm.keys import find_key
from assay.llm.registry import LOCAL_MODELS


@dataclass(frozen=True)
class Usable:
    """One provider or local model: whether it can be asked, and what is missing."""

    name: str
    usable: bool
    why: str
    address: str = ""
    choose: str = ""


def usable_models() -> list[Usable]:
    """Return every local model and provider; nothing is sent."""
    return [_local(name) for name in LOCAL_MODELS] + [_remote(each) for each in PROVIDERS.values()]


def _local(name: str) -> Usable:
    missing = [each for each in ("torch", "tokenizers") if importlib.util.find_spec(each) is None]
    why = "pip install 'assay[local]'" if missing else "on this machine"
    if not real_calls_allowed():
        missing, why = ["allowed"], "real model calls are forbidden here"
    return Usable(f"local:{name}", not missing, why, "this machine", "exact")


def _remote(provider: Provider) -> Usable:
    from assay.llm.providers import address_of

    name = f"{provider.name}:MODEL"
    how = provider.capabilities.choose or ""
    try:
        address = address_of(provider)
    except ModelError as error:
        return Usable(name, False, error.next_step or error.problem, "", how)
    if not real_calls_allowed():
        return Usable(name, False, "real model calls are forbidden here", address, how)
    if provider.key is None:
        return Usable(name, True, "wants no key; try it with `assay models test`", address, how)
    if find_key(provider.key) is None:
        return Usable(name, False, f"set {provider.key}", address, how)
    return Usable(name, True, f"{provider.key} is set", address, how)


def host_named(name: str) -> str | None:
    """Return the host that a model's name stands for; None for one on this machine."""
    from urllib.parse import urlsplit

    from assay.llm.privacy.policy import HERE
    from assay.llm.providers import address_of

    provider = name.partition(":")[0]
    if provider in ("http", "https"):
        host = urlsplit(name).hostname
    elif provider in PROVIDERS:
        host = urlsplit(address_of(PROVIDERS[provider])).hostname
    else:
        return None
    return None if host in HERE else host
