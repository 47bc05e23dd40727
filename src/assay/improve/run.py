"""The run: its place in the ledger, and picking up one that was cut short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assay.errors import ProjectError
from assay.improve.spec import ImproveResult
from assay.ledger import Ledger
from assay.project import Project
from assay.recipe import Recipe
from assay.recipe.record import RunRecord

MEANS = ("budget", "cache", "prices", "unpriced_ok")
"""Settings that change what a run may spend, not what it tries: it goes on where they change."""


class Run(RunRecord):
    """One run of the loop in the ledger."""

    NAME = "improve"
    RESULT = "result"

    def event(self, what: str, body: dict[str, Any]) -> str:
        """Record that something happened, findable as ``what``; return its id."""
        return self.ledger.record("event", body, run=self.id, key=f"{what}:{self.id}")


@contextmanager
def held_run(project: Project, baseline: Recipe, sources: list[str]) -> Iterator[Run]:
    """Yield the unfinished run with this very beginning, or a new one; see :meth:`Run.held`.

    The beginning is the vault, the task, the settings, the baseline and the sources: a run that
    was stopped goes on where it was, and a changed project begins another.
    """
    beginning = {
        "baseline": baseline.hash,
        "settings": project.settings.model_dump(mode="json", exclude=set(MEANS)),
        "sources": sources,
        "task": project.task.model_dump(mode="json"),
        "vault": project.vault().id,
    }
    with Run.held(project.ledger(), beginning) as run:
        run.recipe(baseline)
        yield run


def recorded_result(ledger: Ledger, run: str | None = None) -> ImproveResult:
    """Return what a run found; by default the newest run that ended.

    Raises
    ------
    LedgerError
        When there is no such run.
    ProjectError
        When it has not ended.
    """
    found = Run.newest_result(ledger, run)
    if found is not None:
        return ImproveResult.from_json(found)
    raise ProjectError(
        "No run has ended yet." if run is None else "This run has not ended.",
        given=run,
        next_step="run assay improve",
    )
