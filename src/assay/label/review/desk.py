"""A reviewer's desk: the row at hand, what is known of it, and the record of each decision."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import itemgetter
from typing import Any

from assay.label.kinds import kind_of
from assay.label.result import LabelResult
from assay.label.review.keys import Command, Keys, keys_for
from assay.label.review.outcome import agreed, updated
from assay.label.review.record import (
    Action,
    Batch,
    Decision,
    read_decisions,
    record_decision,
    record_undo,
)
from assay.label.review.session import Session
from assay.label.spec import AGREEMENT, CHANCES, COMBINED
from assay.ledger import Ledger
from assay.tables.rows import ROW_ID

Edit = Callable[[Any], Any]


class Desk:
    """Shows one row after another; each decision is on record before the next row comes up.

    Parameters
    ----------
    result
        The labelling that is reviewed.
    ledger
        Holds it.
    batches
        All rows drawn so far; what came from files may be among the decisions.
    reviewer
        Who decides.
    show_skipped
        Whether rows that were skipped come up again.
    edit
        Lets a person change a JSON value; None where there is no editor.
    """

    def __init__(
        self,
        result: LabelResult,
        ledger: Ledger,
        batches: list[Batch],
        *,
        reviewer: str,
        show_skipped: bool = False,
        edit: Edit | None = None,
    ) -> None:
        self.result = result
        self.reviewer = reviewer
        self.batches = batches
        self._ledger = ledger
        self._edit = edit
        self._place = {each: row for row, each in enumerate(result.rows.table[ROW_ID])}
        decisions = read_decisions(ledger, result.run)
        self._others = [each for each in decisions if each.reviewer != reviewer]
        drawn = [each for batch in batches for each in batch.row_ids]
        self.session = Session.resumed(drawn, decisions, reviewer, show_skipped=show_skipped)
        self.keys = self._fresh_keys()

    def press(self, key: str) -> bool:
        """Do what a key means; return whether to go on.

        Raises
        ------
        InputError
            When what was edited cannot be a label.
        """
        self.keys, command = self.keys.press(key)
        if command is not None:
            self._do(command)
        return self.current is not None and (command is None or command.what != "quit")

    @property
    def current(self) -> str | None:
        """The id of the row at hand."""
        return self.session.current

    @property
    def row(self) -> int:
        """Its position."""
        return self._place[str(self.current)]

    @property
    def fields(self) -> dict[str, str]:
        """What the row at hand says, column by column."""
        table = self.result.rows.table
        values = table.select(self.result.task.inputs).row(self.row, named=True)
        return {name: "" if value is None else str(value) for name, value in values.items()}

    @property
    def votes(self) -> dict[str, list[tuple[str, float]]]:
        """What each annotator said of the row at hand: its three likeliest classes.

        Of an extraction: the three fields on which its answers agree least.
        """
        return {
            annotator: sorted(shares.items(), key=itemgetter(1), reverse=annotator != AGREEMENT)[:3]
            for annotator, shares in self.result.votes_of(self.row).items()
        }

    @cached_property
    def reviewed(self) -> LabelResult:
        """The labelling with what is checked so far as gold."""
        decisions = [*self._others, *self.session.decisions]
        return updated(self.result, agreed(decisions, self.batches))

    def _do(self, command: Command) -> None:
        if command.what == "undo":
            self._undo()
        elif command.what == "edit":
            self._change()
        elif command.what != "quit":
            self._record(command.what, command.value)

    def _change(self) -> None:
        if self._edit is not None:
            changed = self._edit(self.result.answers.labels[self.row])
            self._record("label", kind_of(self.result.task).check(changed, self.result.task))

    def _record(self, action: Action, value: Any) -> None:
        made = Decision(
            row_id=str(self.current),
            action=action,
            reviewer=self.reviewer,
            label=value if action == "label" else None,
            note=value if action == "note" else "",
        )
        recorded = record_decision(self._ledger, self.result.run, made)
        self._move(self.session.after(recorded), same_row=action == "note")

    def _undo(self) -> None:
        last = self.session.undoable
        if last is not None:
            record_undo(self._ledger, self.result.run, last)
            self._move(self.session.without_last())

    def _move(self, session: Session, *, same_row: bool = False) -> None:
        self.session = session
        self.__dict__.pop("reviewed", None)
        if not same_row:
            self.keys = self._fresh_keys()

    def _fresh_keys(self) -> Keys:
        task = self.result.task
        if self.current is None:
            return Keys(task)
        told = self.result.votes_of(self.row)
        shares = told.get(COMBINED) or told.get(CHANCES) or {}
        likely = sorted(task.class_names, key=lambda each: -shares.get(each, 0.0))
        return keys_for(task, self.result.answers.labels[self.row], likely)
