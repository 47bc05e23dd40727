"""The models that come with Assay: a small language model, and a sentence embedder.

Importing this package is free; using a name of it needs the extra ``local``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.llm.local.embedder import SentenceEmbedder
    from assay.llm.local.model import LocalModel

__all__ = ["LocalModel", "SentenceEmbedder"]

_HOMES = {"LocalModel": "model", "SentenceEmbedder": "embedder"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
