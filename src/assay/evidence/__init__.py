"""Statistics that stay honest when a machine makes the suggestions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from assay.evidence.spec import Decision, Evidence, Interval, Verdict

if TYPE_CHECKING:
    from assay.evidence.guards import class_guards
    from assay.evidence.measuring import compare, estimate
    from assay.evidence.metrics import Metric, custom_metric, metric
    from assay.evidence.policy import decide
    from assay.evidence.vault import Confirmation, Vault

_HOMES = {
    "compare": "measuring",
    "estimate": "measuring",
    "decide": "policy",
    "class_guards": "guards",
    "Metric": "metrics",
    "custom_metric": "metrics",
    "metric": "metrics",
    "Confirmation": "vault",
    "Vault": "vault",
}

__all__ = [
    "Confirmation",
    "Decision",
    "Evidence",
    "Interval",
    "Metric",
    "Vault",
    "Verdict",
    "class_guards",
    "compare",
    "custom_metric",
    "decide",
    "estimate",
    "metric",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # NumPy and SciPy load on first use, not with the package.
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
