"""Screening: one proposal against the incumbent, recorded, and never tried twice."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import polars as pl
from pydantic import TypeAdapter

from assay.evidence import Evidence, Screening, decide
from assay.improve.run import Run
from assay.improve.spec import Attempt
from assay.project import Project
from assay.recipe import Proposal, Recipe, Tools, recipe_diff, run_trial
from assay.recipe.trial import Step
from assay.seeds import derive_seed

_ATTEMPT = TypeAdapter(Attempt)


@dataclass(frozen=True)
class Screener:
    """Screens proposals on the ``search`` rows of one project."""

    project: Project
    run: Run
    search: pl.DataFrame
    tools: Tools
    earlier: tuple[float, ...]
    """p-values of the proposals that this run judged before."""

    def recorded(self, proposal: Proposal, before: Recipe, after: Recipe) -> Attempt | None:
        """Return the verdict of an earlier, interrupted session of this run."""
        entry = self.run.ledger.find("verdict", self._key(proposal, before, after))
        if entry is None:
            return None
        return replace(_ATTEMPT.validate_python(entry.body["attempt"]), verdict_id=entry.id)

    def screen(
        self,
        proposal: Proposal,
        source: str,
        before: Recipe,
        after: Recipe,
        *,
        step: Step,
        started: float,
    ) -> Attempt:
        """Build both recipes on identical fresh folds, compare, decide, record."""
        settings = self.project.settings
        key = self._key(proposal, before, after)
        seed = derive_seed(settings.seed, "screen", proposal.name, before.hash, after.hash)
        proposal_id = self.run.proposed(
            proposal.name,
            before,
            after,
            source=source,
            rationale=proposal.rationale,
            origin=proposal.origin,
            key=key,
        )
        trial = run_trial(
            before,
            after,
            self.search,
            self.project.task,
            tools=self.tools,
            seed=seed,
            min_effect=settings.min_effect,
            allowed_loss=settings.max_class_loss,
            step=step,
        )
        verdict = self.run.verdict(
            decide(
                trial.gain,
                alpha=settings.alpha,
                min_effect=settings.min_effect,
                guards=trial.guards,
                allowed_loss=settings.max_class_loss,
                significant=self._significant(trial.gain),
            )
        )
        trial_id = self.run.tried(proposal_id, trial, verdict, seed)
        attempt = Attempt(
            name=proposal.name,
            source=source,
            rationale=proposal.rationale,
            origin=proposal.origin,
            recipe_hash=after.hash,
            diff=recipe_diff(before, after),
            verdict=verdict,
            proposal_id=proposal_id,
            trial_id=trial_id,
            verdict_id="",
            seconds=round(time.monotonic() - started, 3),
        )
        body = {"attempt": _ATTEMPT.dump_python(attempt, mode="json")}
        recorded = self.run.ledger.record("verdict", body, run=self.run.id, key=key)
        return replace(attempt, verdict_id=recorded)

    def _significant(self, gain: Evidence) -> bool | None:
        """Let the mode decide, where it is not the plain screen at ``alpha``."""
        mode = self.project.settings.mode
        if mode == "screen" or gain.p_value is None:
            return None
        return Screening(mode, earlier=self.earlier).passes(gain.p_value)

    def _key(self, proposal: Proposal, before: Recipe, after: Recipe) -> str:
        return f"{self.run.id}:{proposal.name}:{before.hash}:{after.hash}"
