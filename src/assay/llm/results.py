"""What the gateway hands back: choices, generated objects, progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

STATUSES = ("unasked", "answered", "cached", "failed")
UNASKED, ANSWERED, CACHED, FAILED = range(len(STATUSES))


@dataclass(frozen=True, eq=False)
class Outcome:
    """How each of n rows went.

    Attributes
    ----------
    codes
        (n,) positions in :data:`STATUSES`; ``unasked`` rows met a cap of the budget.
    why
        The reason of each row that failed or was not asked.
    how
        ``exact``, ``log-probabilities`` or ``samples`` for choices; ``schema`` for objects.
    """

    codes: NDArray[np.uint8]
    why: Mapping[int, str] = field(repr=False)
    how: str = ""

    @property
    def status(self) -> NDArray[np.str_]:
        """(n,) words: ``answered``, ``cached``, ``failed`` or ``unasked``."""
        return np.array(STATUSES)[self.codes]

    @property
    def cached(self) -> NDArray[np.bool_]:
        """(n,) whether the row was answered from the ledger."""
        return np.asarray(self.codes == CACHED)

    @property
    def complete(self) -> bool:
        """Whether every row has an answer."""
        return bool(np.isin(self.codes, (ANSWERED, CACHED)).all())

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class Choices(Outcome):
    """The probability of each option, row by row.

    Attributes
    ----------
    options
        The k options, in the order of the columns.
    own
        Where rows chose among options of their own: n times k of them; else empty.
    probabilities
        (n, k), rows sum to 1; NaN where there is no answer.
    floored
        Rows in which the provider did not show every option; those have a floor for it.
    """

    options: tuple[str, ...] = ()
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    floored: frozenset[int] = frozenset()
    own: Sequence[tuple[str, ...]] = ()

    @property
    def best(self) -> list[str | None]:
        """The likeliest option of each row; None where there is no answer."""
        found = np.isfinite(self.probabilities).all(axis=1)
        top = np.where(found, np.nan_to_num(self.probabilities).argmax(axis=1), -1)
        of = self.own or [self.options] * len(top)
        return [None if column < 0 else some[column] for column, some in zip(top, of, strict=True)]


@dataclass(frozen=True, eq=False)
class Generated(Outcome, Sequence[BaseModel | None]):
    """The objects that a model wrote; None where there is no valid answer."""

    values: tuple[BaseModel | None, ...] = ()

    @overload
    def __getitem__(self, index: int) -> BaseModel | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[BaseModel | None]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.values[index]

    def __iter__(self) -> Iterator[BaseModel | None]:
        return iter(self.values)


@dataclass(frozen=True)
class Progress:
    """How far a question has come.

    Attributes
    ----------
    what
        The question and the model.
    done, total
        Rows.
    rate
        Rows a second, those from the ledger left out.
    money
        US dollars that the run has spent.
    eta
        Seconds to go; None before anything is known.
    errors
        How many requests failed, by kind.
    """

    what: str
    done: int
    total: int
    rate: float = 0.0
    money: float = 0.0
    eta: float | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
