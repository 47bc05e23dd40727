"""What a labelling came to, in figures; the terminal and JSON are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assay.evidence import Evidence
from assay.label.spec import Stage, Step
from assay.llm import Spend


@dataclass(frozen=True, eq=False)
class Summary:
    """The figures of a labelling.

    Attributes
    ----------
    run
        The ledger's id of the run.
    rows
        Rows that were to be labelled.
    status
        How many were accepted, left for review, and failed.
    coverage
        Share of the rows whose label is accepted.
    precision, confidence
        What was asked of the accepted labels.
    guarantee
        What holds of them, in plain words.
    accuracy
        Share of all labels that are right, measured on gold; None without gold.
    steps, stages
        What each step and each model added.
    notes
        What a reader should know.
    spend, seconds
        What it cost, and how long it took.
    copies
        Rows that copied an earlier one.
    """

    run: str
    rows: int
    status: Mapping[str, int]
    coverage: float
    precision: float | None
    confidence: float
    guarantee: str
    accuracy: Evidence | None
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    notes: tuple[str, ...]
    spend: Spend
    seconds: float
    copies: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain["status"] = dict(self.status)
        plain["accuracy"] = None if self.accuracy is None else self.accuracy.as_dict()
        plain["steps"] = [asdict(each) for each in self.steps]
        plain["stages"] = [_stage(each) for each in self.stages]
        plain["notes"] = list(self.notes)
        plain["spend"] = asdict(self.spend)
        return plain


def _stage(stage: Stage) -> dict[str, Any]:
    checked = stage.checked
    return {
        "model": stage.model,
        "used": stage.used,
        "why": stage.why,
        "share": stage.share,
        "expected": None if stage.expected is None else asdict(stage.expected),
        "measured": None if stage.measured is None else asdict(stage.measured),
        "accuracy": None if checked is None else float(checked.correct.mean()),
    }
