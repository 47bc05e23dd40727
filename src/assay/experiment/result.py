"""What a search returns: every recipe tried, the one chosen, and what it promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.documents import Document
from assay.evidence.confirmation import Confirmation
from assay.evidence.metrics import metric
from assay.evidence.spec import Evidence, Verdict
from assay.experiment.leaks import Leak
from assay.recipe.spec import Recipe
from assay.task import Task


@dataclass(frozen=True)
class Standing:
    """One recipe that was tried.

    Attributes
    ----------
    number
        In the order of entry, from 0.
    origin
        ``recipe`` (the project's own), ``yours``, ``portfolio``, ``tpe`` or ``random``.
    state
        ``finished``: judged on every fold. ``waiting``: given up early for better ones.
        ``failed``: see ``reason``.
    score
        Of the last stage that it ended; greater is better, so a loss is negative. None where it
        failed before.
    estimate
        The metric by cross-validation, in its own unit; of finished ones only. The best of many
        flatters.
    id
        The ledger's.
    """

    number: int
    family: str
    origin: str
    recipe: Recipe
    values: dict[str, Any]
    state: str
    stage: int
    score: float | None
    estimate: Evidence | None
    seconds: float
    reason: str | None
    id: str


@dataclass(frozen=True)
class Chosen:
    """What the one-standard-error rule chose, and why.

    Attributes
    ----------
    name
        The family, or ``blend``.
    number
        The standing's; None for a blend.
    """

    name: str
    why: str
    number: int | None
    recipe: Recipe


@dataclass(frozen=True)
class ExperimentResult(Document):
    """A whole search.

    Attributes
    ----------
    rows, vault
        Labelled rows searched on, and locked ones.
    sampled
        How many of the rows the search read, where it read a sample; None for all.
    leaks
        Columns that give the target away. Those in ``left_out`` took no part.
    standings
        Every recipe tried, the best first; those that failed last.
    chosen
        None where nothing finished.
    best
        What scored best, which the rule may have passed over for something simpler.
    claimed
        The chosen recipe's metric in the search: the best of many, so it flatters.
    screened
        The same on fresh folds, and ``verdict`` on its gain against ``baseline``.
    promised
        The vault's figure: the one to quote. None where the gate kept nothing, or no look is
        left.
    first_seconds
        When the first recipe had been judged in full.
    """

    project: str
    run: str
    task: Task
    seed: int
    minutes: float
    rows: int
    vault: int
    sampled: int | None
    leaks: tuple[Leak, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    standings: tuple[Standing, ...]
    baseline: Recipe
    chosen: Chosen | None
    best: Chosen | None
    claimed: Evidence | None
    screened: Evidence | None
    verdict: Verdict | None
    promised: Confirmation | None
    recipe: Recipe
    diff: str
    first_seconds: float | None
    seconds: float

    @property
    def improved(self) -> bool:
        """Whether the vault confirmed the chosen recipe, which is then the project's."""
        return self.promised is not None and self.promised.verdict.kept

    @property
    def unjudged(self) -> bool:
        """Whether another recipe than the project's was chosen, and a fit of either failed."""
        chosen = self.chosen is not None and self.chosen.recipe.hash != self.baseline.hash
        return chosen and self.verdict is None

    @property
    def finished(self) -> tuple[Standing, ...]:
        """The recipes that were judged in full, the best first."""
        return tuple(each for each in self.standings if each.state == "finished")

    @property
    def optimism(self) -> float | None:
        """How much the search's figure flatters against the vault's; positive flatters."""
        if self.claimed is None or self.promised is None or self.promised.after is None:
            return None
        gap = self.claimed.estimate - self.promised.after.estimate
        return metric(self.task.metric).sign * gap
