"""The Ledger: the durable, append-only record of everything a project did and paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.ledger.entry import KINDS, Entry
    from assay.ledger.ledger import Ledger

__all__ = ["KINDS", "Entry", "Ledger"]


def __getattr__(name: str) -> Any:
    if name == "Ledger":
        from assay.ledger.ledger import Ledger

        return Ledger
    if name in {"Entry", "KINDS"}:
        from assay.ledger import entry

        return getattr(entry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
