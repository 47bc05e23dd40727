"""The figures behind the plots of a diagnosis: few enough to be kept with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Bin:
    """Rows whose likeliest class was stated with about the same probability.

    Attributes
    ----------
    stated
        Mean probability.
    right
        Share of right answers; Wilson's interval at 95 % from ``low`` to ``high``.
    """

    stated: float
    right: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Confusion:
    """How often each true class (a line) was taken for each class (a column)."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Map:
    """Rows by what they are like, in two dimensions.

    Attributes
    ----------
    by
        What the places are made of, in words.
    points
        For each row that is shown: place across and up, each 0 to 1, and whether its loss is
        above the mean.
    n
        How many rows there are; of more than are shown, as many were drawn.
    """

    by: str
    points: tuple[tuple[float, float, bool], ...]
    n: int


@dataclass(frozen=True)
class Drifted:
    """How far a column's values lie from those of the training rows, 0 to 1.

    Attributes
    ----------
    distance
        Kolmogorov and Smirnov's of numbers, total variation of words.
    """

    column: str
    distance: float


@dataclass(frozen=True)
class Pictures:
    """All of a diagnosis; what cannot be drawn is empty or None."""

    reliability: tuple[Bin, ...] = ()
    confusion: Confusion | None = None
    map: Map | None = None
    drift: tuple[Drifted, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Pictures:
        """Return what :meth:`as_dict` described."""
        confusion, places = values["confusion"], values["map"]
        return cls(
            reliability=tuple(Bin(**each) for each in values["reliability"]),
            confusion=None
            if confusion is None
            else Confusion(
                tuple(confusion["names"]), tuple(tuple(line) for line in confusion["counts"])
            ),
            map=None
            if places is None
            else Map(
                places["by"], tuple((x, y, bad) for x, y, bad in places["points"]), places["n"]
            ),
            drift=tuple(Drifted(**each) for each in values["drift"]),
        )
