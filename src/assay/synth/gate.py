"""Doses of made rows as proposals: judged, recorded, and what would help where none did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.evidence import Evidence
from assay.evidence.power import more_rows
from assay.project import Project
from assay.recipe import Recipe, Tools, Trial, run_trial
from assay.synth.judging import Candidate, Court, Judged, Step, best
from assay.synth.record import Record
from assay.synth.result import Advice, Dose

FEWEST_FOR_HALVES = 4


@dataclass(frozen=True)
class Judgement:
    """Every dose, the one to take with its recipe, and advice where there is none."""

    doses: tuple[Dose, ...]
    chosen: Dose | None
    recipe: Recipe
    advice: Advice | None


@dataclass(frozen=True)
class Gate:
    """Judges all candidates on the same folds, and writes down what became of each.

    Attributes
    ----------
    rows
        Search rows, by which all is judged.
    own
        Those that rows were made from.
    of
        What these are, in words.
    """

    project: Project
    record: Record
    rows: pl.DataFrame
    own: pl.DataFrame
    of: str
    tools: Tools
    seed: int

    def judge(self, candidates: Sequence[Candidate], step: Step | None = None) -> Judgement:
        """Return every dose with its verdict, and where none is kept what real rows would do."""
        baseline, settings = self.project.recipe, self.project.settings
        court = Court(
            self.rows,
            self.project.task,
            self.tools,
            self.seed,
            level=settings.level,
            min_effect=settings.min_effect,
            allowed_loss=settings.max_class_loss,
        )
        judged = court.judge(baseline, candidates, step)
        doses = tuple(self._recorded(each) for each in judged)
        taken = best(judged)
        if taken is not None:
            return Judgement(doses, doses[judged.index(taken)], taken.recipe, None)
        return Judgement(doses, None, baseline, self._advice(doses, self._worth(baseline)))

    def _recorded(self, judged: Judged) -> Dose:
        before, after, candidate = self.project.recipe, judged.recipe, judged.candidate
        verdict = self.record.verdict(judged.verdict)
        key = f"{self.record.id}:{before.hash}:{after.hash}"
        proposal = self.record.proposed(
            candidate.name,
            before,
            after,
            source="synth",
            rationale=candidate.rationale,
            origin=candidate.origin,
            key=key,
        )
        self.record.tried(proposal, judged.trial, verdict, self.seed)
        over = "" if judged.over is None else judged.over.method
        body = {
            "name": candidate.name,
            "over": over,
            "adjusted": judged.adjusted,
            **verdict.as_dict(),
        }
        self.record.ledger.record("verdict", body, run=self.record.id, key=key)
        return Dose(
            candidate.method, candidate.dose, after.hash, verdict, judged.adjusted, proposal, over
        )

    def _worth(self, baseline: Recipe) -> Trial | None:
        """Return what half of the real rows, drawn at random, add to the other half."""
        own = self.own["row_id"]
        if len(own) < FEWEST_FOR_HALVES:
            return None
        random = np.random.default_rng(self.seed)
        left_out = own.gather(sorted(random.permutation(len(own))[: len(own) // 2].tolist()))
        artefact = self.record.ledger.put_table(
            pl.DataFrame({"row_id": left_out}), name="left-out.parquet", run=self.record.id
        )
        rows = baseline.rows.model_copy(update={"dropped": (*baseline.rows.dropped, artefact)})
        half = baseline.model_copy(update={"rows": rows})
        task = self.project.task
        return run_trial(half, baseline, self.rows, task, tools=self.tools, seed=self.seed)

    def _advice(self, doses: Sequence[Dose], worth: Trial | None) -> Advice:
        fact = None if worth is None else self.record.evidence(worth.gain)
        likeliest = max(doses, key=lambda each: each.verdict.main.estimate, default=None)
        level = self.project.settings.level
        more = None
        if likeliest is not None and likeliest.verdict.decision == "undecided":
            more = more_rows(likeliest.verdict.main, alpha=level)
        sentences = []
        if fact is not None:
            bars = {"level": level, "min_effect": self.project.settings.min_effect}
            sentences.append(worth_told(fact, self.own.height, self.of, **bars))
        if more is not None and likeliest is not None:
            sentences.append(f"About {more:,} more labelled rows would decide {likeliest.name}.")
        return Advice(fact, more, " ".join(sentences))


def worth_told(worth: Evidence, size: int, of: str, *, level: float, min_effect: float) -> str:
    """Return whether real rows help, or do not, or whether that is still open.

    Parameters
    ----------
    worth
        What half of the ``size`` rows add to the other half.
    of
        What the rows are, in words.
    """
    figures = f"{size // 2} of the {size} are worth {worth.estimate:+.4f} {worth.interval}."
    if worth.p_value is not None and worth.p_value < level:
        return f"Real {of} do help: {figures} Label about {size} more."
    if worth.interval.high <= min_effect:
        return f"Real {of} show no gain either: {figures} Look at the features and labels first."
    return f"Whether real {of} help is open: {figures} More of them would tell."
