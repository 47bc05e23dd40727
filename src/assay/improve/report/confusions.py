"""Confusion tables made ready to be shown: whole for a few classes, mistakes first for many."""

from __future__ import annotations

from dataclasses import dataclass

from assay.improve.spec import Confusion, ImproveResult

FEW_CLASSES = 12
"""So many classes fit a table whose figures can be read at a glance."""
MOST_CLASSES = 60
MOST_MISTAKES = 12


@dataclass(frozen=True)
class Mistake:
    """Rows of one class taken for another, with the first and the last recipe."""

    true: str
    predicted: str
    before: int
    after: int


@dataclass(frozen=True)
class Confusions:
    """Both recipes' confusion of the same rows."""

    before: Confusion
    after: Confusion

    @classmethod
    def of(cls, result: ImproveResult) -> Confusions | None:
        """Return the confusions, or None where there are none, as in a regression."""
        before, after = result.confusion_before, result.confusion_after
        return None if before is None or after is None else cls(before, after)

    @property
    def tables(self) -> tuple[tuple[str, Confusion], ...]:
        """The tables under their names; none where the classes are too many to draw."""
        if len(self.before.classes) > MOST_CLASSES:
            return ()
        return (("Before", self.before), ("After", self.after))

    @property
    def few(self) -> bool:
        """Whether the whole tables can be read."""
        return len(self.before.classes) <= FEW_CLASSES

    @property
    def mistakes(self) -> list[Mistake]:
        """The most frequent mistakes, counting both recipes."""
        classes = self.before.classes
        found = [
            Mistake(true, predicted, self.before.counts[i][j], self.after.counts[i][j])
            for i, true in enumerate(classes)
            for j, predicted in enumerate(classes)
            if i != j
        ]
        made = [each for each in found if each.before or each.after]
        return sorted(made, key=lambda each: -(each.before + each.after))[:MOST_MISTAKES]


def heat(count: int, row: tuple[int, ...]) -> float:
    """Return how strongly a cell is shaded, 0 to 1: its share of the true class."""
    total = sum(row)
    return round(count / total, 3) if total else 0.0
