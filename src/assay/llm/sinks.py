"""Collects answers row by row into arrays and lists, as they are committed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel

from assay.llm.questions import combined
from assay.llm.results import (
    ANSWERED,
    CACHED,
    FAILED,
    STATUSES,
    UNASKED,
    Choices,
    Generated,
)


class Tally:
    """Which rows are done, how, and why not; tells ``tell`` ten times a second at most."""

    def __init__(self, total: int, tell: Callable[[int, int, int], None]) -> None:
        self.codes = np.full(total, UNASKED, dtype=np.uint8)
        self.why: dict[int, str] = {}
        self.done = 0
        self.cached = 0
        self._tell = tell
        self._told = 0.0

    def mark(self, row: int, code: int) -> None:
        """Note how a row ended."""
        if self.codes[row] == UNASKED:
            self.done += 1
        self.codes[row] = code
        self.cached += code == CACHED
        now = time.monotonic()
        if now - self._told > 0.1 or self.done == len(self.codes):
            self._told = now
            self._tell(self.done, self.cached, len(self.codes))

    @property
    def counts(self) -> dict[str, int]:
        """How many rows ended in each way."""
        codes, counts = np.unique(self.codes, return_counts=True)
        rows = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        return {name: rows.get(code, 0) for code, name in enumerate(STATUSES)}

    def failed(self, row: int, why: str) -> None:
        """Take the reason why a row has no answer."""
        self.why.setdefault(row, sys.intern(why))
        if self.codes[row] == UNASKED:
            self.mark(row, FAILED)

    def unasked(self, row: int, why: str) -> None:
        """Take the reason why a row was not asked."""
        if self.codes[row] == UNASKED:
            self.why.setdefault(row, sys.intern(why))


class ChoiceSink(Tally):
    """Probabilities, (n, k)."""

    def __init__(
        self,
        total: int,
        options: tuple[str, ...],
        parts: int,
        tell: Callable[[int, int, int], None],
        own: Sequence[tuple[str, ...]] = (),
    ) -> None:
        super().__init__(total, tell)
        self._options = options
        self._own = own
        self._parts = parts
        self._probabilities = np.full((total, len(options)), np.nan)
        self._floored: set[int] = set()
        self._partial: dict[int, dict[int, tuple[Mapping[str, Any], bool]]] = {}

    def answered(self, row: int, part: int, value: Any, *, cached: bool) -> None:
        """Take the answer of one part; a row counts when it has all its parts."""
        if self._parts == 1:
            return self._finish(row, value["p"], bool(value.get("floored")), cached)
        parts = self._partial.setdefault(row, {})
        parts[part] = (value, cached)
        if len(parts) < self._parts:
            return None
        del self._partial[row]
        probabilities, floored = combined([parts[number][0] for number in sorted(parts)])
        return self._finish(row, probabilities, floored, all(each for _, each in parts.values()))

    def _finish(self, row: int, probabilities: Any, floored: bool, cached: bool) -> None:
        if self.codes[row] != UNASKED:
            return
        self._probabilities[row] = probabilities
        if floored:
            self._floored.add(row)
        self.mark(row, CACHED if cached else ANSWERED)

    def result(self, how: str) -> Choices:
        """Return what was collected."""
        return Choices(
            codes=self.codes,
            why=self.why,
            how=how,
            options=self._options,
            probabilities=self._probabilities,
            floored=frozenset(self._floored),
            own=self._own,
        )


class ObjectSink(Tally):
    """Objects of a schema."""

    def __init__(
        self, total: int, schema: type[BaseModel], tell: Callable[[int, int, int], None]
    ) -> None:
        super().__init__(total, tell)
        self._schema = schema
        self._values: list[BaseModel | None] = [None] * total

    def answered(self, row: int, part: int, value: Any, *, cached: bool) -> None:
        """Take an object as JSON."""
        self._values[row] = self._schema.model_validate(value)
        self.mark(row, CACHED if cached else ANSWERED)

    def result(self, how: str) -> Generated:
        """Return what was collected."""
        return Generated(codes=self.codes, why=self.why, how=how, values=tuple(self._values))
