"""What building a recipe needs from outside: artefacts and sentence embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.ledger import Ledger
    from assay.llm import Gateway


class Embed(Protocol):
    """Embeds n texts, made of these columns, by a model of that name: an (n, d) array."""

    def __call__(
        self, model: str, texts: Sequence[str], /, *, columns: tuple[str, ...]
    ) -> np.ndarray:
        """Return an (n, d) float32 array."""
        ...


def _different(_: str, texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))


@dataclass(frozen=True)
class Tools:
    """Reads artefacts and embeds texts, each text once.

    Attributes
    ----------
    read_table
        Artefact id to table.
    embed
        Model name, n texts and the columns they were made of to an (n, d) float32 array.
    never_embedded
        Model name and n texts to the different ones that no earlier run embedded; without a cache
        all of them.
    """

    read_table: Callable[[str], pl.DataFrame]
    embed: Embed
    _vectors: dict[tuple[str, str], np.ndarray] = field(default_factory=dict, repr=False)
    _tables: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)
    never_embedded: Callable[[str, Sequence[str]], list[str]] = _different

    @classmethod
    def of(cls, ledger: Ledger, gateway: Gateway) -> Tools:
        """Return tools that read from ``ledger`` and ask through ``gateway``."""
        return cls(
            read_table=ledger.read_table,
            embed=gateway.embed,
            never_embedded=gateway.never_embedded,
        )

    def snapshot(self) -> Tools:
        """Return tools that know what these know and ask nobody: fit for another process."""
        return Tools(_unprepared, _unprepared, dict(self._vectors), dict(self._tables))

    def vectors(self, model: str, texts: Sequence[str], column: str) -> np.ndarray:
        """Return an (n, d) float32 array for a column's texts; only new texts are embedded."""
        new = self.not_embedded(model, texts)
        if new:
            made = self.embed(model, new, columns=(column,))
            self._vectors.update(zip([(model, text) for text in new], made, strict=True))
        return np.stack([self._vectors[model, text] for text in texts])

    def not_embedded(self, model: str, texts: Sequence[str]) -> list[str]:
        """Return the different texts that a model has not embedded here yet, in their order."""
        return [text for text in dict.fromkeys(texts) if (model, text) not in self._vectors]

    def table(self, artefact: str) -> pl.DataFrame:
        """Return the artefact's table, read once."""
        if artefact not in self._tables:
            self._tables[artefact] = self.read_table(artefact)
        return self._tables[artefact]


def _unprepared(*_: object, **__: object) -> Any:
    raise InputError("A fold needs a text or an artefact that was not prepared.")
