"""A search's place in the ledger, and picking up one that was cut short."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Any

import numpy as np

from assay.errors import ProjectError
from assay.experiment.result import ExperimentResult
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.pool import Broken
from assay.ledger import Ledger
from assay.recipe import Recipe
from assay.recipe.record import RunRecord

TRIED = "tried"
ARRAY = "application/x-npy"


class Record(RunRecord):
    """One search in the ledger. Every recipe tried is one event, found under the run."""

    NAME = "experiment"
    RESULT = "experiment"

    def entered(self, entrant: Entrant, elapsed: float) -> str:
        """Record what is known of an entrant after ``elapsed`` seconds; return the entry's id."""
        found = entrant.found if entrant.state == "finished" else None
        body = {
            "what": TRIED,
            "name": f"{entrant.family}: {entrant.state}",
            "number": entrant.number,
            "family": entrant.family,
            "origin": entrant.origin,
            "recipe": entrant.recipe.plain(),
            "values": entrant.values,
            "complexity": entrant.complexity,
            "state": entrant.state,
            "stage": entrant.stage,
            "scores": [each if np.isfinite(each) else None for each in entrant.scores],
            "seconds": round(entrant.seconds, 4),
            "fit_seconds": round(entrant.fit_seconds, 4),
            "reason": entrant.reason,
            "broken": None if entrant.broken is None else asdict(entrant.broken),
            "predictions": None if found is None else self._keep(entrant, found),
            "elapsed": round(elapsed, 3),
        }
        return self.ledger.record("event", body, run=self.id, key=f"{TRIED}:{self.id}")

    def earlier(self) -> tuple[list[Entrant], dict[int, str], float]:
        """Return what was tried before a stop, its ledger ids, and how long that took."""
        entrants: dict[int, Entrant] = {}
        ids: dict[int, str] = {}
        elapsed = 0.0
        for entry in self.ledger.entries("event", run=self.id):
            if entry.body.get("what") == TRIED:
                entrant = self._entrant(entry.body)
                entrants[entrant.number], ids[entrant.number] = entrant, entry.id
                elapsed = max(elapsed, entry.body["elapsed"])
        return [entrants[number] for number in sorted(entrants)], ids, elapsed

    def _keep(self, entrant: Entrant, found: np.ndarray) -> str:
        buffer = io.BytesIO()
        np.save(buffer, found.astype(np.float32))
        return self.ledger.put_artefact(
            buffer.getvalue(),
            name=f"out-of-fold-{entrant.recipe.hash}.npy",
            media_type=ARRAY,
            run=self.id,
        )

    def _entrant(self, body: dict[str, Any]) -> Entrant:
        kept = body["predictions"]
        found = None if kept is None else np.load(io.BytesIO(self.ledger.read_artefact(kept)))
        broken = body.get("broken")
        return Entrant(
            number=body["number"],
            family=body["family"],
            origin=body["origin"],
            recipe=Recipe.model_validate(body["recipe"]),
            values=body["values"],
            complexity=body["complexity"],
            stage=body["stage"],
            scores=[float("-inf") if each is None else each for each in body["scores"]],
            state=body["state"],
            seconds=body["seconds"],
            reason=body["reason"],
            broken=None if broken is None else Broken(**broken),
            found=None if found is None else found.astype(np.float64),
            fit_seconds=body["fit_seconds"],
        )


def recorded_experiment(ledger: Ledger, run: str | None = None) -> ExperimentResult:
    """Return what a search found; by default the newest that ended.

    Raises
    ------
    LedgerError
        When there is no such run.
    ProjectError
        When it has not ended, or no search has.
    """
    found = Record.newest_result(ledger, run)
    if found is not None:
        return ExperimentResult.from_json(found)
    raise ProjectError(
        "No search has ended yet." if run is None else "This run is no search that has ended.",
        given=run,
        next_step="run assay experiment",
    )
