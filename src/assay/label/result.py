"""LabelResult: the labels, how sure they are, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.errors import InputError
from assay.evidence import Evidence, accept_threshold, estimate
from assay.evidence.accepting import Acceptance
from assay.evidence.clt import MIN_ROWS
from assay.evidence.precision_tests import require_shares
from assay.label.answering import COPIED
from assay.label.policy import acceptance_of
from assay.label.rows import Rows
from assay.label.spec import Answers, Checked, Stage, Step
from assay.label.summary import Summary
from assay.label.task import LabelTask
from assay.llm import Spend


@dataclass(frozen=True, eq=False)
class LabelResult:
    """What a labelling came to.

    Attributes
    ----------
    task
        What was asked.
    rows
        The n rows.
    answers
        One answer for each of them.
    checked
        How the gold rows fared, each answered without its own label; None without gold.
    given
        Position and label of each row that gold holds: its label is the checked one.
    precision, confidence
        What was asked of the accepted labels; no precision: every label is accepted.
    steps
        What ran, and what each step added.
    notes
        What a reader should know, in plain words.
    spend
        What it cost.
    seconds
        Wall time.
    run
        The ledger's id of the run.
    stages
        The models of a cascade; empty for one model.
    """

    task: LabelTask
    rows: Rows
    answers: Answers
    checked: Checked | None
    given: dict[int, Any]
    precision: float | None
    confidence: float
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    spend: Spend
    seconds: float
    run: str
    stages: tuple[Stage, ...] = ()

    @cached_property
    def acceptance(self) -> Acceptance | None:
        """The threshold and what it guarantees; None without gold or without a precision."""
        measured = self._measured
        if measured is None or self.precision is None:
            return None
        if self.cascaded:
            return acceptance_of(self.stages, self.precision, self.confidence)
        return accept_threshold(
            measured.probability,
            measured.correct,
            precision=self.precision,
            confidence=self.confidence,
            weights=measured.weights,
        )

    @cached_property
    def accuracy(self) -> Evidence | None:
        """Share of all labels that are right, measured on gold; None with fewer than 10 rows."""
        measured = self._measured
        if measured is None or len(measured.row_ids) < MIN_ROWS:
            return None
        right = np.where(measured.correct, "right", "wrong")
        return estimate(["right"] * len(right), right.tolist(), weights=measured.weights,
                        classes=("right", "wrong"))  # fmt: skip

    @property
    def _measured(self) -> Checked | None:
        return None if self.checked is None else self.checked.measured

    @cached_property
    def accepted(self) -> NDArray[np.bool_]:
        """(n,) whether a row's label can be used without a check."""
        answered = np.isfinite(self.answers.probability)
        sure = np.zeros(len(self.rows), dtype=np.bool_)
        if self.precision is None:
            sure = answered.copy()
        elif self.acceptance is not None:
            sure[answered] = self.acceptance.accepts(self.answers.probability[answered])
            sure[list(self.rows.suspect)] = False  # no checked row vouches for them
        sure[list(self.given)] = True
        return sure

    def votes_of(self, row: int) -> dict[str, dict[str, float]]:
        """Return by annotator the probability of each class that it spoke of, for one row.

        Of an extraction: the share of its answers that agree on each field.

        Parameters
        ----------
        row
            The row's position.
        """
        fields = (self.task.fields or {}).get("properties", {})
        names = self.task.class_names or tuple(fields)
        told = {
            annotator: {
                name: float(share)
                for name, share in zip(names, shares[row], strict=True)
                if np.isfinite(share)
            }
            for annotator, shares in self.answers.votes.items()
            if shares.shape[1] == len(names)
        }
        return {annotator: shares for annotator, shares in told.items() if shares}

    @cached_property
    def coverage(self) -> float:
        """Share of the rows whose label is accepted."""
        return float(self.accepted.mean()) if len(self.rows) else 0.0

    @cached_property
    def table(self) -> pl.DataFrame:
        """``row_id``, the label, its ``probability``, ``status`` and ``why``, n rows."""
        labels = [self.given.get(row, label) for row, label in enumerate(self.answers.labels)]
        probability = self.answers.probability.copy()
        probability[list(self.given)] = 1.0
        return self.rows.table.select("row_id").with_columns(
            pl.Series(self.task.target, labels, strict=False),
            pl.Series("probability", probability).fill_nan(None),
            pl.Series("status", [self._status(row) for row in range(len(labels))], pl.String),
            pl.Series("why", [self._why(row) for row in range(len(labels))], pl.String),
        )

    def rethreshold(
        self, *, precision: float | None, confidence: float | None = None
    ) -> LabelResult:
        """Return the same labels under another guarantee; nothing is asked again.

        Raises
        ------
        InputError
            When a cascade would have sent up rows that it did not: it has to be run again. Or
            when one of the two does not lie between 0 and 1.
        """
        wanted = self.confidence if confidence is None else confidence
        require_shares(precision=precision, confidence=wanted)
        changed = replace(self, precision=precision, confidence=wanted)
        if self.cascaded and not self._sent_up(changed):
            raise InputError(
                "Under this guarantee a cascade sends up rows that were not sent up.",
                given=precision,
                next_step="label again with it; answers on record are not asked for again",
            )
        return changed

    @cached_property
    def summary(self) -> Summary:
        """What it came to, the rows left out."""
        return Summary(
            run=self.run,
            rows=len(self.rows),
            status=dict(self.table["status"].value_counts(sort=True).iter_rows()),
            coverage=self.coverage,
            precision=self.precision,
            confidence=self.confidence,
            guarantee=self.guarantee,
            accuracy=self.accuracy,
            steps=self.steps,
            stages=self.stages,
            notes=self.notes,
            spend=self.spend,
            seconds=self.seconds,
            copies=sum(COPIED in each for each in self.answers.flags.values()),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what it came to as plain JSON values, the rows left out."""
        return self.summary.as_dict()

    @property
    def cascaded(self) -> bool:
        """Whether the guarantee is that of several models together."""
        return sum(each.judged for each in self.stages) > 1

    def _sent_up(self, changed: LabelResult) -> bool:
        """Whether all rows were asked about that the changed guarantee sends up."""
        wanted = _threshold(changed.acceptance)
        if np.isinf(wanted):  # nothing or everything is accepted
            return True
        everywhere = all(each.used for each in self.stages if each.judged)
        return everywhere and wanted <= _threshold(self.acceptance)

    @property
    def guarantee(self) -> str:
        """What holds of the accepted labels, in plain words."""
        if self.precision is None:
            return "none asked: every label is accepted"
        if self.acceptance is None:
            return "none: there are no checked rows to measure it on"
        return str(self.acceptance)

    def _status(self, row: int) -> str:
        if self.accepted[row]:
            return "accepted"
        return "review" if np.isfinite(self.answers.probability[row]) else "failed"

    def _why(self, row: int) -> str:
        if row in self.given:
            return "checked by a person"
        if row in self.answers.why:
            return self.answers.why[row]
        told = self.answers.flags.get(row)
        reason = "above the threshold" if self.accepted[row] else "not sure enough"
        if self.precision is None:
            reason = "no precision was asked"
        return reason if told is None else f"{reason}; {told}"


def _threshold(acceptance: Acceptance | None) -> float:
    """Return what is accepted above; with no precision that is everything."""
    if acceptance is None:
        return -np.inf
    return np.inf if acceptance.threshold is None else acceptance.threshold
