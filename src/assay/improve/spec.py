"""What a run of the loop returns: every attempt, the confirmation, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from assay.documents import Document
from assay.evidence.confirmation import Confirmation
from assay.evidence.power import Plan
from assay.evidence.spec import Decision, Evidence, Verdict
from assay.recipe.spec import Recipe
from assay.task import Task


@dataclass(frozen=True)
class Attempt:
    """One proposal, tried.

    Attributes
    ----------
    diff
        The edit as a unified diff of ``recipe.toml``.
    verdict
        What the screen decided; its first evidence is the gain on the task's metric.
    proposal_id, trial_id, verdict_id
        Where the ledger holds it.
    seconds
        Time to obtain the proposal and to screen it.
    """

    name: str
    source: str
    rationale: str
    origin: str
    recipe_hash: str
    diff: str
    verdict: Verdict
    proposal_id: str
    trial_id: str
    verdict_id: str
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A source that could not propose, or a proposal that could not be built, and why."""

    name: str
    reason: str
    id: str


@dataclass(frozen=True)
class CurvePoint:
    """Cross-validated metric of both recipes when only ``rows`` search rows are trained on."""

    rows: int
    before: Evidence
    after: Evidence


@dataclass(frozen=True)
class Confusion:
    """Out-of-fold confusion on the search rows: ``counts[true][predicted]``."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    id: str


@dataclass(frozen=True)
class RowCounts:
    """How many rows played each role."""

    search: int
    pool: int
    vault: int


@dataclass(frozen=True)
class Cost:
    """What the run spent on language models, and how long it took."""

    money: float
    calls: int
    cached: int
    tokens: int
    seconds: float
    peak_memory_mib: float
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImproveResult(Document):
    """A whole run: what was tried, kept, dropped and why; the confirmed gain; the cost.

    ``stopped`` says why the run ended before every proposal was screened, when it did,
    ``warnings`` what a reader should know about the data, and ``plan`` what so many rows could
    show, as told before the run.
    """

    project: str
    run: str
    task: Task
    seed: int
    rows: RowCounts
    baseline: Recipe
    recipe: Recipe
    diff: str
    attempts: tuple[Attempt, ...]
    skipped: tuple[Skipped, ...]
    screened_before: Evidence
    screened_after: Evidence
    confirmed: Confirmation | None
    learning_curve: tuple[CurvePoint, ...]
    confusion_before: Confusion | None
    confusion_after: Confusion | None
    cost: Cost
    stopped: str | None = None
    warnings: tuple[str, ...] = ()
    plan: Plan | None = None

    def decided(self, decision: Decision) -> tuple[Attempt, ...]:
        """Return the attempts that ended in ``decision``, in the order they were tried."""
        return tuple(each for each in self.attempts if each.verdict.decision == decision)

    @property
    def kept(self) -> tuple[Attempt, ...]:
        """The attempts that were kept."""
        return self.decided("kept")

    @property
    def improved(self) -> bool:
        """Whether the vault confirmed the kept bundle."""
        return self.confirmed is not None and self.confirmed.verdict.kept
