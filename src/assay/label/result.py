"""LabelResult: the labels, how sure they are, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assay.evidence import Evidence, accept_threshold, estimate
from assay.evidence.accepting import Acceptance
from assay.label.rows import Rows
from assay.label.spec import Answers, Checked, Step
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

    @cached_property
    def acceptance(self) -> Acceptance | None:
        """The threshold and what it guarantees; None without gold or without a precision."""
        if self.checked is None or self.precision is None:
            return None
        return accept_threshold(
            self.checked.probability,
            self.checked.correct,
            precision=self.precision,
            confidence=self.confidence,
            weights=self.checked.weights,
        )

    @cached_property
    def accuracy(self) -> Evidence | None:
        """Share of all labels that are right, measured on gold; None without gold."""
        if self.checked is None:
            return None
        right = np.where(self.checked.correct, "right", "wrong")
        return estimate(["right"] * len(right), right.tolist(), weights=self.checked.weights,
                        classes=("right", "wrong"))  # fmt: skip

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
        """Return the same labels under another guarantee; nothing is asked again."""
        wanted = self.confidence if confidence is None else confidence
        return replace(self, precision=precision, confidence=wanted)

    def as_dict(self) -> dict[str, Any]:
        """Return what it came to as plain JSON values, the rows left out."""
        from dataclasses import asdict

        status = self.table["status"].value_counts()
        return {
            "run": self.run,
            "rows": len(self.rows),
            "status": dict(status.iter_rows()),
            "coverage": self.coverage,
            "precision": self.precision,
            "confidence": self.confidence,
            "guarantee": self.guarantee,
            "accuracy": None if self.accuracy is None else self.accuracy.as_dict(),
            "steps": [asdict(each) for each in self.steps],
            "notes": list(self.notes),
            "spend": asdict(self.spend),
            "seconds": self.seconds,
        }

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
