"""Remote models: one file for each wire format, one way to connect."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from assay.errors import InputError, ModelError
from assay.llm.catalogue import BY_LOG_PROBABILITIES, PROVIDERS, Provider
from assay.llm.keys import find_key
from assay.llm.providers.anthropic import Messages
from assay.llm.providers.gemini import GenerateContent
from assay.llm.providers.openai import ChatCompletions
from assay.llm.providers.remote import RemoteModel
from assay.llm.providers.responses import Responses
from assay.llm.providers.wire import Wire
from assay.llm.transport import Connection

ADDRESS_KEY = "ASSAY_API_KEY"
"""The key of a server that is named by its address."""


def connect(name: str) -> RemoteModel:
    """Return the remote model of that name; nothing is sent yet.

    Raises
    ------
    InputError
        When an address is not usable.
    ModelError
        When the provider's key or address is missing; it names the variable.
    """
    provider_name, _, model = name.partition(":")
    if provider_name in ("http", "https"):
        return _at_address(name)
    provider = PROVIDERS[provider_name]
    connection = Connection(
        address_of(provider), _headers(provider, name), secret_from=provider.key
    )
    return RemoteModel(
        name,
        model,
        _wire(provider),
        connection,
        provider.capabilities_of(model),
        takes_temperature=provider.takes_temperature(model),
    )


def address_of(provider: Provider) -> str:
    """Return where a provider is; raise `ModelError` where nobody says."""
    base = os.environ.get(provider.base_variable) or provider.base
    if provider.name == "azure" and not base:
        endpoint = os.environ.get("AZURE_OPENAI_ENDPOINT", "").rstrip("/")
        base = f"{endpoint}/openai/v1" if endpoint else ""
    if not base:
        raise ModelError(
            f"The address of {provider.name} is missing.",
            next_step="set the environment variable AZURE_OPENAI_ENDPOINT",
        )
    return base


def _headers(provider: Provider, name: str) -> dict[str, str]:
    headers = dict(provider.headers)
    if provider.key is None:
        return headers
    key = find_key(provider.key)
    if not key:
        raise ModelError(
            "The model's key is missing.",
            given=name,
            next_step=f"set the environment variable {provider.key}, or keep it in the keyring:"
            f" keyring set assay {provider.key}",
        )
    header, form = provider.key_header
    headers[header] = form.format(key=key)
    return headers


def _wire(provider: Provider) -> Wire:
    if provider.format == "responses":
        return Responses()
    if provider.format == "anthropic":
        return Messages()
    if provider.format == "gemini":
        return GenerateContent()
    return ChatCompletions(tokens_field=provider.tokens_field, objects=provider.objects)


def _at_address(name: str) -> RemoteModel:
    """Return a model at an OpenAI-compatible server, named ``http://host:port/v1#MODEL``."""
    address, _, model = name.partition("#")
    if not model or not urlsplit(address).hostname:
        raise InputError(
            "A model at an address is named by both.",
            given=name,
            allowed="http://HOST:PORT/v1#MODEL",
        )
    key = find_key(ADDRESS_KEY)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    connection = Connection(address, headers, secret_from=ADDRESS_KEY)
    wire = ChatCompletions(tokens_field="max_tokens")
    return RemoteModel(name, model, wire, connection, BY_LOG_PROBABILITIES)
