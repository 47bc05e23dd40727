"""What every run that judges recipes puts on record, and picking up one that was cut short."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from assay.assets.lock import locked
from assay.errors import ProjectError
from assay.evidence import Evidence, Verdict
from assay.ledger import Entry, Ledger
from assay.recipe.spec import Recipe
from assay.recipe.text import recipe_diff, recipe_to_toml
from assay.recipe.trial import Trial

LOCKS = "runs"
"""Folder, beside the artefacts, of what running processes hold."""


@dataclass(frozen=True)
class RunRecord:
    """One run in the ledger.

    Attributes
    ----------
    NAME
        What runs of this kind are called.
    RESULT
        What the event that ends one is found by, before the run's id.
    """

    NAME: ClassVar[str]
    RESULT: ClassVar[str]

    id: str
    ledger: Ledger

    @classmethod
    @contextmanager
    def held(cls, ledger: Ledger, beginning: dict[str, Any]) -> Iterator[Self]:
        """Yield the run that :meth:`open` returns, which no other process can take meanwhile.

        A process that ends, however it ends, lets go of it.

        Raises
        ------
        ProjectError
            When another one is at it.
        """
        key = _key(beginning)
        lock = ledger.artefacts.parent / LOCKS / f"{key.rpartition(':')[2]}.lock"
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(lock, wait=False))
            except BlockingIOError as error:
                begun = ledger.find("event", key)
                raise ProjectError(
                    f"The same {cls.NAME} run is going on in another process.",
                    given=None if begun is None else begun.run,
                    next_step="wait for it, or stop it and start again: it then goes on",
                ) from error
            except OSError:  # a file system without locks: it is held by nobody
                pass
            yield cls.open(ledger, beginning)

    @classmethod
    def open(cls, ledger: Ledger, beginning: dict[str, Any]) -> Self:
        """Return the unfinished run with this very beginning, or a new one."""
        key = _key(beginning)
        begun = ledger.find("event", key)
        if begun is not None and begun.run is not None and cls._end(ledger, begun.run) is None:
            return cls(begun.run, ledger)
        run = cls(ledger.start_run(cls.NAME, beginning), ledger)
        ledger.record("event", {"beginning": beginning}, run=run.id, key=key)
        return run

    @classmethod
    def newest_result(cls, ledger: Ledger, run: str | None = None) -> bytes | None:
        """Return the result of a run, by default of the newest that ended; None where none is.

        Raises
        ------
        LedgerError
            When there is no such run.
        """
        runs = [each.id for each in ledger.entries("run")] if run is None else [ledger.get(run).id]
        for each in reversed(runs):
            event = cls._end(ledger, each)
            if event is not None:
                return ledger.read_artefact(event.body["artefact"])
        return None

    def end(self, result: str, recipe: Recipe, *, name: str) -> None:
        """Keep the result, which is JSON, under a file's name; that ends the run."""
        kept = self.recipe(recipe)
        artefact = self.ledger.put_artefact(
            result.encode(), name=name, media_type="application/json", run=self.id
        )
        body = {"artefact": artefact, "recipe": kept}
        self.ledger.record("event", body, run=self.id, key=f"{self.RESULT}:{self.id}")

    def evidence(self, fact: Evidence) -> Evidence:
        """Record ``fact`` and return it with its id; a recorded fact stays as it is."""
        if fact.id is not None:
            return fact
        return fact.with_id(self.ledger.record("evidence", fact.as_dict(), run=self.id))

    def verdict(self, verdict: Verdict) -> Verdict:
        """Record every fact of ``verdict``."""
        return replace(verdict, evidence=tuple(self.evidence(each) for each in verdict.evidence))

    def recipe(self, recipe: Recipe) -> str:
        """Keep the recipe's text as an artefact; return its id."""
        return self.ledger.put_artefact(
            recipe_to_toml(recipe).encode(),
            name=f"recipe-{recipe.hash}.toml",
            media_type="application/toml",
            run=self.id,
        )

    def proposed(
        self,
        name: str,
        before: Recipe,
        after: Recipe,
        *,
        source: str,
        rationale: str,
        origin: str,
        key: str,
    ) -> str:
        """Record a proposed change of recipe; return the entry's id."""
        body = {
            "name": name,
            "source": source,
            "rationale": rationale,
            "origin": origin,
            "before": self.recipe(before),
            "after": self.recipe(after),
            "diff": recipe_diff(before, after),
        }
        return self.ledger.record("proposal", body, run=self.id, key=key)

    def tried(self, proposal: str, trial: Trial, verdict: Verdict, seed: int) -> str:
        """Record the trial of a proposal, by its id, whose verdict is recorded."""
        body = {
            "proposal": proposal,
            "seed": seed,
            "before": self.evidence(trial.before).as_dict(),
            "after": self.evidence(trial.after).as_dict(),
            "gain": verdict.main.as_dict(),
        }
        return self.ledger.record("trial", body, run=self.id)

    @classmethod
    def _end(cls, ledger: Ledger, run: str) -> Entry | None:
        return ledger.find("event", f"{cls.RESULT}:{run}")


def _key(beginning: dict[str, Any]) -> str:
    """Return what a run with this beginning is found by."""
    content = json.dumps(beginning, sort_keys=True).encode()
    return f"began:{hashlib.sha256(content).hexdigest()[:16]}"
