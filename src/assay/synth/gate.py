"""Doses of made rows as proposals, judged together on real held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.evidence import benjamini_hochberg, decide
from assay.evidence.power import more_rows
from assay.project import Project
from assay.recipe import Recipe, Tools, Trial, compared, splits
from assay.recipe.splits import FOLDS, REPEATS
from assay.recipe.trial import out_of_fold
from assay.synth.record import Record
from assay.synth.result import Advice, Dose, dose_name
from assay.synth.spec import own_rows

FEWEST_FOR_HALVES = 4
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Candidate:
    """One proposal, not judged yet; its dose is 0 where it makes no rows."""

    method: str
    dose: float
    origin: str
    recipe: Recipe

    @property
    def rationale(self) -> str:
        """Why it could help."""
        return "more rows of a class that has few" if self.dose else "a rare class counts for more"


@dataclass(frozen=True)
class Gate:
    """Judges all candidates on the same folds; the correction is for all of them together."""

    project: Project
    record: Record
    rows: pl.DataFrame
    class_name: str | None
    tools: Tools
    seed: int

    def judge(
        self, candidates: Sequence[Candidate], step: Step | None = None
    ) -> tuple[tuple[Dose, ...], Advice]:
        """Return every dose with its verdict, and what real rows would do.

        A dose passes where its p-value, adjusted by Benjamini and Hochberg over all doses tried,
        is below the project's level; doses of one method are positively dependent, for which the
        correction holds.
        """
        baseline, task, settings = self.project.recipe, self.project.task, self.project.settings
        half = self._halved(baseline)
        recipes = [baseline, *(each.recipe for each in candidates), *([half] if half else [])]
        found = splits(self.rows, task, seed=self.seed, folds=FOLDS, repeats=REPEATS)
        first, *others = out_of_fold(
            recipes, self.rows, task, found, tools=self.tools, seed=self.seed, step=step
        )
        trials = [
            compared(
                self.rows,
                task,
                first,
                each,
                seed=self.seed,
                min_effect=settings.min_effect,
                allowed_loss=settings.max_class_loss,
            )
            for each in others[: len(candidates)]
        ]
        p_values = [trial.gain.p_value for trial in trials]
        adjusted = benjamini_hochberg([1.0 if each is None else each for each in p_values])
        doses = tuple(
            self._decided(candidate, trial, float(p_value), len(trials))
            for candidate, trial, p_value in zip(candidates, trials, adjusted, strict=True)
        )
        worth = None
        if half:
            worth = compared(self.rows, task, others[-1], first, seed=self.seed)
        return doses, self._advice(doses, worth)

    def _decided(self, candidate: Candidate, trial: Trial, adjusted: float, tried: int) -> Dose:
        settings, before = self.project.settings, self.project.recipe
        verdict = decide(
            trial.gain,
            alpha=settings.level,
            min_effect=settings.min_effect,
            guards=trial.guards,
            allowed_loss=settings.max_class_loss,
            significant=adjusted < settings.level if tried > 1 else None,
        )
        name = dose_name(candidate.method, candidate.dose)
        verdict = self.record.verdict(verdict)
        key = f"{self.record.id}:{before.hash}:{candidate.recipe.hash}"
        proposal = self.record.proposed(
            name,
            before,
            candidate.recipe,
            source="synth",
            rationale=candidate.rationale,
            origin=candidate.origin,
            key=key,
        )
        self.record.tried(proposal, trial, verdict, self.seed)
        body = {"name": name, "adjusted": adjusted, **verdict.as_dict()}
        self.record.ledger.record("verdict", body, run=self.record.id, key=key)
        return Dose(
            candidate.method, candidate.dose, candidate.recipe.hash, verdict, adjusted, proposal
        )

    def _halved(self, baseline: Recipe) -> Recipe | None:
        """Return the baseline without half of the class's real rows, drawn at random."""
        own = own_rows(self.rows, self.project.task, self.class_name)["row_id"]
        if len(own) < FEWEST_FOR_HALVES:
            return None
        random = np.random.default_rng(self.seed)
        left_out = own.gather(sorted(random.permutation(len(own))[: len(own) // 2].tolist()))
        artefact = self.record.ledger.put_table(
            pl.DataFrame({"row_id": left_out}), name="left-out.parquet", run=self.record.id
        )
        rows = baseline.rows.model_copy(update={"dropped": (*baseline.rows.dropped, artefact)})
        return baseline.model_copy(update={"rows": rows})

    def _advice(self, doses: Sequence[Dose], worth: Trial | None) -> Advice:
        fact = None if worth is None else self.record.evidence(worth.gain)
        best = max(doses, key=lambda each: each.verdict.main.estimate, default=None)
        level = self.project.settings.level
        more = None
        if best is not None and best.verdict.decision == "undecided":
            more = more_rows(best.verdict.main, alpha=level)
        size = own_rows(self.rows, self.project.task, self.class_name).height
        of = "rows" if self.class_name is None else f"rows of {self.class_name!r}"
        sentences = []
        if fact is not None and fact.p_value is not None and fact.p_value < level:
            sentences.append(
                f"Real {of} do help: {size // 2} of the {size} are worth {fact.estimate:+.4f} "
                f"{fact.interval}. Label about {size} more."
            )
        elif fact is not None:
            sentences.append(
                f"Real {of} show no gain either: {size // 2} of the {size} are worth "
                f"{fact.estimate:+.4f} {fact.interval}. Look at the features and the labels first."
            )
        if more is not None and best is not None:
            sentences.append(f"About {more:,} more labelled rows would decide {best.name}.")
        return Advice(fact, more, " ".join(sentences))


def best_kept(doses: Sequence[Dose]) -> Dose | None:
    """Return the kept dose of the largest gain."""
    kept = [each for each in doses if each.verdict.kept]
    return max(kept, key=lambda each: each.verdict.main.estimate, default=None)
