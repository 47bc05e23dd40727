"""Review: a person checks the rows that teach most, and what they find counts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.label.review.agreement import Agreement, krippendorff_alpha
    from assay.label.review.gold import reviewed_gold
    from assay.label.review.order import worth_checking

_HOMES = {
    "Agreement": "agreement",
    "krippendorff_alpha": "agreement",
    "reviewed_gold": "gold",
    "worth_checking": "order",
}

__all__ = ["Agreement", "krippendorff_alpha", "reviewed_gold", "worth_checking"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
