"""A synthesis's place in the ledger."""

from __future__ import annotations

from assay.errors import ProjectError
from assay.ledger import Ledger
from assay.recipe.record import RunRecord
from assay.synth.result import SynthesisResult


class Record(RunRecord):
    """One synthesis in the ledger."""

    NAME = "synth"
    RESULT = "synthesis"


def recorded_synthesis(ledger: Ledger, run: str | None = None) -> SynthesisResult:
    """Return what a synthesis found; by default the newest that ended.

    Raises
    ------
    LedgerError
        When there is no such run.
    ProjectError
        When none has ended.
    """
    found = Record.newest_result(ledger, run)
    if found is None:
        raise ProjectError("No synthesis has ended yet.", given=run, next_step="run assay synth")
    return SynthesisResult.from_json(found)
