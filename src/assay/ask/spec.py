"""Snippets, the libraries they need, how a trial of one went, and the answer made of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

Need = Literal["numeric", "categorical", "text", "group", "time", "class", "binary", "regression"]


@dataclass(frozen=True)
class Snippet:
    """A few lines of Python for one piece of work, and what must be true once they have run.

    Attributes
    ----------
    code
        Starts from ``rows`` (a Polars table) and the names of its columns: ``target``,
        ``numeric``, ``categorical``, ``text``, ``group``, ``time``.
    promise, check
        The post-condition: in words, and as statements that assert it.
    origin
        ``book:THEME``, or the language model's name.
    needs
        What the rows must have.
    phrases
        Other words for the question that it answers.
    """

    title: str
    code: str
    promise: str
    check: str
    origin: str
    needs: tuple[Need, ...] = ()
    phrases: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Library:
    """What the package index says of a library.

    Attributes
    ----------
    listed
        Whether the index has it; None where the index could not be asked.
    latest, released
        The newest release and its day.
    supports_python
        Whether a release supports this Python.
    licence
        As its metadata tell.
    installed
        The version that is installed here.
    """

    name: str
    listed: bool | None = None
    latest: str | None = None
    released: date | None = None
    supports_python: bool | None = None
    licence: str | None = None
    installed: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """How a snippet fared in the sandbox.

    Attributes
    ----------
    met
        Whether it ran to its end and its post-condition held.
    why
        What went wrong; empty when nothing did.
    rows, whose
        On how many rows it ran, and where they are from.
    sandbox, weakness
        What it ran in, and what that does not hold it from.
    """

    met: bool
    why: str
    rows: int
    whose: str
    seconds: float
    sandbox: str
    weakness: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer to a question: a snippet that was tried before it is shown.

    Attributes
    ----------
    snippet
        None where nothing near was found, or the model wrote nothing usable.
    attempts
        How often a model wrote it; 1 for the book.
    similarity
        Of the question to the recipe, at most 1; None for what a model wrote.
    others
        Titles of the nearest other recipes.
    """

    question: str
    snippet: Snippet | None
    trial: Trial | None
    libraries: tuple[Library, ...] = ()
    attempts: int = 1
    similarity: float | None = None
    others: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a snippet that met its post-condition."""
        return self.trial is not None and self.trial.met

    def as_dict(self) -> Mapping[str, Any]:
        """Return plain values, for JSON."""
        found = asdict(self) | {"ok": self.ok}
        for each in found["libraries"]:
            each["released"] = None if each["released"] is None else each["released"].isoformat()
        return found
