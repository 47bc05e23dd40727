"""Finds the model behind a name such as ``local:minilm`` or ``openai:gpt-5-mini``."""

from __future__ import annotations

import difflib
from typing import Any

from assay.errors import InputError, ModelError
from assay.llm import catalogue
from assay.llm.guard import require_real_calls

PROVIDERS: tuple[str, ...] = ("local", *catalogue.PROVIDERS, "http", "https")
EMBEDDED = "local:smollm2-135m"
"""The language model that needs no account; too small to write code."""
LOCAL_MODELS: tuple[str, ...] = ("smollm2-135m", "minilm")


def load(name: str) -> Any:
    """Return the model of that name, ready to be asked.

    Raises
    ------
    InputError
        When the name is not ``provider:model`` or the provider is not known.
    ModelError
        When real calls are forbidden here, or the model's key is missing.
    """
    provider, colon, model = name.partition(":")
    if not colon or not model:
        raise InputError(
            "A model's name is provider:model.", given=name, allowed=", ".join(PROVIDERS)
        )
    if provider not in PROVIDERS:
        near = difflib.get_close_matches(provider, PROVIDERS, n=3) or PROVIDERS
        raise InputError("No provider has this name.", given=provider, allowed=", ".join(near))
    require_real_calls(name)
    if provider == "local":
        return _local(model)
    from assay.llm.providers import connect

    return connect(name)


def _local(model: str) -> Any:
    if model not in LOCAL_MODELS:
        near = difflib.get_close_matches(model, LOCAL_MODELS, n=3) or LOCAL_MODELS
        raise InputError("No local model has this name.", given=model, allowed=", ".join(near))
    from assay.llm import local

    try:
        if model == "minilm":
            return local.SentenceEmbedder.load()
        return local.LocalModel.load(model)
    except MemoryError as error:
        raise ModelError(
            "This machine has too little memory for the model.", given=model
        ) from error
