"""Which proposals pass on real held-out rows, all judged on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from assay.evidence import Verdict, benjamini_hochberg, decide
from assay.recipe import Recipe, Tools, Trial, compared, splits
from assay.recipe.splits import FOLDS, REPEATS
from assay.recipe.trial import OutOfFold, out_of_fold
from assay.synth.result import dose_name
from assay.task import Task

LEADER = 0.8
"""What part of the level the leading proposal is tested at; the others have the rest."""

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Candidate:
    """One proposal, not judged yet.

    Attributes
    ----------
    dose
        Made rows for each real one; 0 where none are made.
    apply
        From a recipe to the recipe with the proposal.
    leads
        Whether it is tested before the others, which must then add to it.
    """

    method: str
    dose: float
    origin: str
    apply: Callable[[Recipe], Recipe]
    leads: bool = False

    @property
    def name(self) -> str:
        """The method with its dose."""
        return dose_name(self.method, self.dose)

    @property
    def rationale(self) -> str:
        """Why it could help."""
        return "more rows of a class that has few" if self.dose else "a rare class counts for more"


@dataclass(frozen=True)
class Judged:
    """A proposal and what became of it.

    Attributes
    ----------
    recipe
        What was tried.
    over
        What its gain is measured against: the leading proposal, or None for the baseline.
    adjusted
        Its p-value after the correction for how many were tried beside it.
    """

    candidate: Candidate
    recipe: Recipe
    trial: Trial
    verdict: Verdict
    adjusted: float
    over: Candidate | None = None


@dataclass(frozen=True)
class Court:
    """What every proposal is judged by.

    Attributes
    ----------
    rows
        Search rows: ``row_id``, inputs, target.
    level
        The chance, at most, that something of no use is kept where nothing is of use.
    allowed_loss
        As in :func:`assay.evidence.class_guards`.
    """

    rows: pl.DataFrame
    task: Task
    tools: Tools
    seed: int
    level: float = 0.05
    min_effect: float = 0.0
    allowed_loss: float = 0.05
    repeats: int = REPEATS

    def judge(
        self, baseline: Recipe, candidates: Sequence[Candidate], step: Step | None = None
    ) -> tuple[Judged, ...]:
        """Return every candidate with its verdict, in the order given.

        One that leads is tested first, at four fifths of the level. Where it passes, the others
        are tried on top of it at the whole level, or else alone at the fifth that is left: the
        fallback procedure of Wiens and Dmitrienko (2005). Their p-values are adjusted together
        (Benjamini and Hochberg); doses of one method are positively dependent, for which that
        holds.
        """
        leaders = [each for each in candidates if each.leads][:1]
        others = [each for each in candidates if each not in leaders]
        before, *led = self.predicted([baseline, *(c.apply(baseline) for c in leaders)], step)
        found = self._compared(baseline, leaders, before, led, self.level * LEADER)
        base, left, over = baseline, self.level, None
        if found:
            leader = found[0]
            left = self.level * (1 - LEADER)
            if leader.verdict.kept:
                base, before, left, over = leader.recipe, led[0], self.level, leader.candidate
        after = self.predicted([each.apply(base) for each in others], step)
        found += [
            replace(each, over=over) for each in self._compared(base, others, before, after, left)
        ]
        return tuple(sorted(found, key=lambda each: candidates.index(each.candidate)))

    def predicted(self, recipes: Sequence[Recipe], step: Step | None) -> tuple[OutOfFold, ...]:
        """Return each recipe's predictions of rows that it did not see."""
        if not recipes:
            return ()
        found = splits(self.rows, self.task, seed=self.seed, folds=FOLDS, repeats=self.repeats)
        return out_of_fold(
            recipes, self.rows, self.task, found, tools=self.tools, seed=self.seed, step=step
        )

    def _compared(
        self,
        base: Recipe,
        candidates: Sequence[Candidate],
        before: OutOfFold,
        after: Sequence[OutOfFold],
        level: float,
    ) -> list[Judged]:
        trials = [
            compared(
                self.rows,
                self.task,
                before,
                each,
                seed=self.seed,
                min_effect=self.min_effect,
                allowed_loss=self.allowed_loss,
            )
            for each in after
        ]
        p_values = [trial.gain.p_value for trial in trials]
        adjusted = benjamini_hochberg([1.0 if each is None else each for each in p_values])
        return [
            Judged(
                candidate,
                candidate.apply(base),
                trial,
                self._decided(trial, float(p_value), level),
                float(p_value),
            )
            for candidate, trial, p_value in zip(candidates, trials, adjusted, strict=True)
        ]

    def _decided(self, trial: Trial, adjusted: float, level: float) -> Verdict:
        return decide(
            trial.gain,
            alpha=level,
            min_effect=self.min_effect,
            guards=trial.guards,
            allowed_loss=self.allowed_loss,
            significant=adjusted < level,
        )


def best(judged: Sequence[Judged]) -> Judged | None:
    """Return the kept proposal of the largest gain; one that adds to the leader goes first."""
    kept = [each for each in judged if each.verdict.kept]
    return max(
        kept,
        key=lambda each: (each.over is not None, each.verdict.main.estimate),
        default=None,
    )
