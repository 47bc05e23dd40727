"""What a synthesis returns: what was made, what was tried, what was kept, and what would help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assay.documents import Document
from assay.evidence.confirmation import Confirmation
from assay.evidence.spec import Evidence, Verdict
from assay.recipe.spec import Recipe
from assay.synth.measure.utility import Utility
from assay.synth.privacy import PrivacyReport
from assay.synth.spec import Counted
from assay.task import Task


@dataclass(frozen=True)
class Batch:
    """The rows of one method.

    Attributes
    ----------
    asked, made, kept
        Rows asked for, obtained, and left by the filters.
    filters
        What each filter dropped, in the order they were applied.
    stopped
        Why the method ended early, where it did.
    filled
        Share of the attribute plan that the kept rows fill; None without a plan.
    epsilon, delta
        What rows under differential privacy spent, by OpenDP's account; None for others.
    """

    method: str
    asked: int
    made: int
    kept: int
    filters: tuple[Counted, ...]
    seconds: float
    stopped: str | None = None
    filled: float | None = None
    epsilon: float | None = None
    delta: float | None = None


@dataclass(frozen=True)
class Dose:
    """One proposal: so many made rows for each real row of the class.

    Attributes
    ----------
    method, dose
        How rows are made, and how many; a remedy that makes none has dose 0.
    verdict
        Its first evidence is the gain on real held-out rows; the change of recall of each class
        follows.
    adjusted
        The gain's p-value after the correction for how many doses were tried beside it.
    over
        The remedy that its gain is measured against; empty where that is the recipe as it was. Made
        rows come on top of it, another remedy in its place.
    """

    method: str
    dose: float
    recipe_hash: str
    verdict: Verdict
    adjusted: float
    proposal_id: str
    over: str = ""

    @property
    def name(self) -> str:
        """The method with its dose."""
        return dose_name(self.method, self.dose)


def dose_name(method: str, dose: float) -> str:
    """Return a proposal's name, as in ``smote x4`` or ``class weights``."""
    return f"{method} x{dose:g}" if dose else method


@dataclass(frozen=True)
class Advice:
    """What would help where no made row did.

    Attributes
    ----------
    worth
        What the later half of the class's real rows added, on the task's metric; None with fewer
        than four.
    more_rows
        Search rows that would decide the likeliest dose; None where its gain is not positive.
    words
        The advice as sentences.
    """

    worth: Evidence | None
    more_rows: int | None
    words: str


@dataclass(frozen=True)
class Sample:
    """A made row beside the real row that it is nearest to, and how alike they are, in [0, 1]."""

    made: dict[str, Any]
    nearest: dict[str, Any]
    similarity: float


@dataclass(frozen=True)
class Cost:
    """What language models took, and how long the whole took."""

    money: float
    calls: int
    tokens: int
    seconds: float


@dataclass(frozen=True)
class SynthesisResult(Document):
    """A whole synthesis.

    Attributes
    ----------
    class_name, where
        Of which rows were made; None for a whole table; and in which slice, empty for anywhere.
    real_rows
        Search rows that they were made from.
    taken
        The method whose rows are measured, shown and released: the kept one, else the first that
        gave any.
    doses
        Every proposal, in the order of the methods.
    chosen
        The kept dose of the largest gain; None where none of it helped.
    recipe
        The recipe with the chosen dose, or the project's own.
    facts
        Measures of the made rows: how well a classifier tells them from real ones, and how alike
        columns and pairs of columns are.
    numbers
        Measures without an interval: the Vendi score and the share of different runs of words.
    privacy
        What the made rows give away of the rows they were made from; None where there are none.
    rehearsed, utility
        The attacks on, and the worth of, rows that ``rehearsed`` made from half of the search
        rows, judged by the other half; None where halves are too small or a model wrote the rows.
    constraints
        What was to hold in every made row, in words.
    artefact
        The ledger's id of the rows by ``taken`` that passed the filters.
    lacking
        In words, of which rows others were made, and where else they were seen to be lacking.
        Empty where the user said of which.
    """

    project: str
    run: str
    task: Task
    seed: int
    class_name: str | None
    real_rows: int
    batches: tuple[Batch, ...]
    taken: str
    doses: tuple[Dose, ...]
    chosen: Dose | None
    recipe: Recipe
    confirmed: Confirmation | None
    advice: Advice | None
    facts: tuple[Evidence, ...]
    numbers: dict[str, float]
    samples: tuple[Sample, ...]
    artefact: str
    cost: Cost
    notes: tuple[str, ...] = ()
    privacy: PrivacyReport | None = None
    rehearsed: str | None = None
    utility: Utility | None = None
    where: str = ""
    constraints: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def helped(self) -> bool:
        """Whether the vault confirmed what was kept."""
        return self.confirmed is not None and self.confirmed.confirmed
