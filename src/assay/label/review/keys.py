"""What each key means while a row is shown. Pure: a state and a key give a state and a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.label.task import LabelTask

DIGITS = "1234567890"
LETTERS = "abcdfghijklmoptwxyz"
"""Keys of classes beyond ten; the letters left out are commands."""
SHORTLIST = 9
"""With more classes than keys, the likeliest have digits and all others are found by typing."""

Mode = Literal["row", "find", "note"]


@dataclass(frozen=True)
class Command:
    """What to do: ``label``, ``wrong``, ``skip``, ``undo``, ``note``, ``edit`` or ``quit``."""

    what: Literal["label", "wrong", "skip", "undo", "note", "edit", "quit"]
    value: Any = None


@dataclass(frozen=True)
class Keys:
    """What the keys stand for, for one row.

    Attributes
    ----------
    task
        What is asked.
    suggestion
        The label that Enter accepts; None without one.
    likely
        The class names, likeliest first.
    mode
        ``row``; ``find``: letters find a class; ``note``: letters are a note.
    typed
        What was typed in the modes ``find`` and ``note``.
    marked
        The classes marked so far, where a row can have several.
    page
        Which part of a long text is shown.
    """

    task: LabelTask
    suggestion: Any = None
    likely: tuple[str, ...] = ()
    mode: Mode = "row"
    typed: str = ""
    marked: frozenset[str] = frozenset()
    page: int = 0

    @property
    def classes(self) -> dict[str, str]:
        """The class that each key stands for; empty for an extraction."""
        names = self.task.class_names
        if len(names) > len(DIGITS) + len(LETTERS):
            likely = [*self.likely, *(each for each in names if each not in self.likely)]
            return dict(zip(DIGITS, likely[:SHORTLIST], strict=False))
        return dict(zip(DIGITS + LETTERS, names, strict=False))

    @property
    def found(self) -> list[str]:
        """The classes that what was typed finds: those that begin with it first."""
        names, typed = self.task.class_names, self.typed.casefold()
        inside = [each for each in names if typed in each.casefold()]
        return sorted(inside, key=lambda each: not each.casefold().startswith(typed))

    def press(self, key: str) -> tuple[Keys, Command | None]:
        """Return what a key leads to."""
        if self.mode == "row":
            return self._press_on_row(key)
        return self._type(key)

    def _press_on_row(self, key: str) -> tuple[Keys, Command | None]:
        what = {"s": "skip", "u": "undo", "q": "quit", "end": "quit"}.get(key)
        if what is not None:
            return self, Command(what)  # type: ignore[arg-type]
        if key == "n":
            return replace(self, mode="note", typed=""), None
        if key == "v":
            return replace(self, page=self.page + 1), None
        if key == "r":
            return self, Command("wrong")
        if key == "e" and self.task.kind == "extract":
            return self, Command("edit")
        if key == "/" and self.task.class_names:
            return replace(self, mode="find", typed=""), None
        if key == "enter":
            return self._confirm()
        return self._pick(self.classes.get(key))

    def _confirm(self) -> tuple[Keys, Command | None]:
        if self.task.kind == "multi":
            names = [each for each in self.task.class_names if each in self.marked]
            return self, Command("label", names)
        if self.suggestion is None:
            return self, None
        return self, Command("label", self.suggestion)

    def _pick(self, name: str | None) -> tuple[Keys, Command | None]:
        if name is None:
            return self, None
        if self.task.kind == "multi":
            return replace(self, marked=self.marked ^ {name}, mode="row", typed=""), None
        return replace(self, mode="row", typed=""), Command("label", name)

    def _type(self, key: str) -> tuple[Keys, Command | None]:
        if key == "end":
            return self, Command("quit")
        if key == "escape":
            return replace(self, mode="row", typed=""), None
        if key == "backspace":
            return replace(self, typed=self.typed[:-1]), None
        if key == "enter":
            return self._finish()
        if len(key) == 1 and key.isprintable():
            return replace(self, typed=self.typed + key), None
        return self, None

    def _finish(self) -> tuple[Keys, Command | None]:
        if self.mode == "find":
            return self._pick(self.found[0]) if self.found else (self, None)
        done = replace(self, mode="row", typed="")
        return done, Command("note", self.typed) if self.typed.strip() else None


def keys_for(task: LabelTask, suggestion: Any, likely: Sequence[str]) -> Keys:
    """Return the keys for a row that comes up; a suggested set of classes is marked already."""
    marked = frozenset(suggestion or ()) if task.kind == "multi" else frozenset()
    return Keys(task, suggestion, tuple(likely), marked=marked)
