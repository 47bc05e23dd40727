"""One person's way through a batch: what is decided, what comes next. Pure; nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from assay.label.review.record import Decision


@dataclass(frozen=True)
class Session:
    """Where one reviewer stands.

    Attributes
    ----------
    row_ids
        The rows to check, in the order to show them.
    decisions
        This reviewer's, in the order they were made.
    reopened
        Rows skipped before that are shown again.
    """

    row_ids: tuple[str, ...]
    decisions: tuple[Decision, ...] = ()
    reopened: frozenset[str] = field(default=frozenset())

    @classmethod
    def resumed(
        cls,
        row_ids: Sequence[str],
        decisions: Sequence[Decision],
        reviewer: str,
        *,
        show_skipped: bool = False,
    ) -> Session:
        """Return the session that the recorded decisions lead to."""
        own = tuple(each for each in decisions if each.reviewer == reviewer)
        session = cls(tuple(row_ids), own)
        return replace(session, reopened=frozenset(session.skipped)) if show_skipped else session

    @cached_property
    def latest(self) -> dict[str, Decision]:
        """The last decision about each row."""
        return {each.row_id: each for each in self.decisions if each.action != "note"}

    @cached_property
    def current(self) -> str | None:
        """The row to show; None when all are decided."""
        return next((each for each in self.row_ids if self._open(each)), None)

    @property
    def checked(self) -> int:
        """Rows of the batch with an answer."""
        found = (self.latest.get(each) for each in self.row_ids)
        return sum(each is not None and each.action != "skip" for each in found)

    @property
    def skipped(self) -> list[str]:
        """Rows of the batch that were left for later."""
        found = ((each, self.latest.get(each)) for each in self.row_ids)
        return [row for row, last in found if last is not None and last.action == "skip"]

    @property
    def undoable(self) -> Decision | None:
        """What undo takes back: the last decision, unless it came from a file."""
        own = set(self.row_ids)
        recorded = (each for each in reversed(self.decisions) if each.id and each.row_id in own)
        return next(recorded, None)

    def notes(self, row_id: str) -> list[str]:
        """Return what was noted about a row."""
        return [each.note for each in self.decisions if each.row_id == row_id and each.note]

    def after(self, decision: Decision) -> Session:
        """Return the session once ``decision`` is on record."""
        reopened = self.reopened
        if decision.action != "note":
            reopened -= {decision.row_id}
        return replace(self, decisions=(*self.decisions, decision), reopened=reopened)

    def without_last(self) -> Session:
        """Return the session once the last decision is taken back; its row comes up again."""
        last = self.undoable
        if last is None:
            return self
        kept = tuple(each for each in self.decisions if each is not last)
        return replace(self, decisions=kept)

    def _open(self, row_id: str) -> bool:
        last = self.latest.get(row_id)
        return last is None or (last.action == "skip" and row_id in self.reopened)
