"""The gateway: the one door to every language model, and the models behind it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.llm.budget import Budget, Spend
    from assay.llm.gateway import Gateway
    from assay.llm.guard import forbid_real_calls, real_calls_allowed
    from assay.llm.prompt import Example, Prompt
    from assay.llm.results import Choices, Generated, Progress
    from assay.llm.scripted import ScriptedModel

__all__ = [
    "Budget",
    "Choices",
    "Example",
    "Gateway",
    "Generated",
    "Progress",
    "Prompt",
    "ScriptedModel",
    "Spend",
    "forbid_real_calls",
    "real_calls_allowed",
]

_HOMES = {
    "Budget": "budget",
    "Choices": "results",
    "Example": "prompt",
    "Gateway": "gateway",
    "Generated": "results",
    "Progress": "results",
    "Prompt": "prompt",
    "ScriptedModel": "scripted",
    "Spend": "budget",
    "forbid_real_calls": "guard",
    "real_calls_allowed": "guard",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found  # asked once
    return found
