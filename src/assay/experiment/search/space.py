"""What can be varied: dimensions, and families of recipes that are made from values of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.recipe import Recipe

Values = Mapping[str, Any]
"""One value for each dimension of a family."""


@dataclass(frozen=True)
class Real:
    """A number from ``low`` to ``high``; ``log`` spreads tries over its orders of magnitude."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included."""

    low: int
    high: int
    log: bool = False


@dataclass(frozen=True)
class Choice:
    """One of a few values: text, numbers, booleans or None."""

    options: tuple[Any, ...]


Dimension = Real | Whole | Choice


@dataclass(frozen=True)
class Family:
    """Recipes of one kind.

    Attributes
    ----------
    name
        Short and stable; the ledger holds it.
    why
        When such a recipe does well, in one plain sentence.
    complexity
        1 is the simplest; the one-standard-error rule prefers less.
    space
        The dimensions that a search varies.
    defaults
        Values worth trying before anything is known, the best first.
    build
        Makes the recipe of some values.
    """

    name: str
    why: str
    complexity: int
    space: Mapping[str, Dimension]
    defaults: tuple[Values, ...]
    build: Callable[[Values], Recipe] = field(repr=False)
