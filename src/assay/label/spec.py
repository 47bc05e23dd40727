"""Settings of a labelling, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from assay.label.copies import CopyRule
from assay.label.rules import Rule
from assay.label.task import LabelTask

Status = Literal["accepted", "review", "failed"]
ALIKE = 1e-9
"""Weights that differ by less are one weight: there are exact tests for those."""
COMBINED = "combined"
"""The vote that is the answer's own probability of each class."""
CHANCES = "chances"
"""The vote that holds the final probability of each yes/no question."""
AGREEMENT = "agreement"
"""The vote that holds the share of an extraction's answers that agree on each field."""
PUT_TOGETHER = (COMBINED, CHANCES, AGREEMENT)
"""Votes that no annotator gave: they go with the answer."""


class LabelSettings(BaseModel):
    """How rows are put to the annotators.

    Attributes
    ----------
    models
        Language models of a cascade: each further one sees only what those before it left open.
    voters
        Further language models that vote on every row beside the first of ``models``.
    embed
        Turns texts into vectors.
    max_text_tokens
        Longer texts are cut to head and tail for a model on this machine.
    fit_rows
        Most unlabelled rows that the annotators' weights are learned from; a seeded sample
        where there are more.
    folds
        Parts of the gold rows that are held out in turn.
    seed
        All randomness derives from it.
    copies
        Which rows are asked once: ``exact`` copies (but for white space and case), ``near``
        ones too, or ``off``.
    examples
        Worked examples that a model is shown, the nearest gold rows. By default 4, and none for
        a model on this machine: the embedded one is confused by them.
    neighbours
        Gold rows whose labels vote for a row near to them; none: they do not vote.
    student
        ``fine-tuned``: given 50 gold rows, the sentence encoder itself learns from the votes and
        from gold, which takes about two minutes for 1,500 rows on two cores; only ``local:minilm``
        can. ``linear``: a linear model on its vectors is all that learns.
    shortlist
        Classes among which a model elsewhere chooses where there are at least twice as many:
        the nearest to the row by embedding. 0: always all.
    rules
        The user's own annotators; see :func:`assay.label.vote`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    models: tuple[str, ...] = ("local:smollm2-135m",)
    voters: tuple[str, ...] = ()
    embed: str = "local:minilm"
    max_text_tokens: int = Field(default=96, ge=8)
    fit_rows: int = Field(default=5000, ge=10)
    folds: int = Field(default=10, ge=2)
    seed: int = Field(default=0, ge=0)
    copies: CopyRule = "exact"
    examples: int | None = Field(default=None, ge=0)
    neighbours: int = Field(default=10, ge=0)
    shortlist: int = Field(default=20, ge=0)
    student: Literal["fine-tuned", "linear"] = "fine-tuned"
    rules: tuple[Rule, ...] = Field(default=(), exclude=True)


@dataclass(frozen=True)
class Step:
    """One part of the labelling: what ran, and what it added.

    Attributes
    ----------
    name
        ``model``, ``similarity``, ``neighbours``, ``student``, …
    used
        Whether the result rests on it.
    why
        Why it was used or skipped, in plain words.
    accuracy
        Share of the gold rows that were right with this step and those before it, held out;
        None without gold.
    alone
        Share of the gold rows that its own vote got right; None without gold or a vote.
    """

    name: str
    used: bool
    why: str
    accuracy: float | None = None
    alone: float | None = None


UNANSWERED = Step("gold", False, "skipped: no checked row that measures was answered")
"""What a labelling says whose annotators failed on gold: it knows as much as one without."""


@dataclass(frozen=True, eq=False)
class Answers:
    """One answer for each of n rows.

    Attributes
    ----------
    labels
        n JSON values: a class, a list of classes, or an object; None where there is none.
    probability
        (n,) how likely the answer is right; NaN where there is none.
    why
        The reason of each row without an answer.
    votes
        By annotator, the (n, k) probabilities that it gave the classes, NaN where it abstained;
        may be empty. Beside them what was put together of them (:data:`PUT_TOGETHER`).
    flags
        What a reader should know of a row, such as ``cut`` for a text that was too long.
    """

    labels: list[Any]
    probability: NDArray[np.float64]
    why: Mapping[int, str] = field(default_factory=dict)
    votes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    flags: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def said(self) -> dict[str, NDArray[np.float64]]:
        """The votes of the annotators alone."""
        return {name: each for name, each in self.votes.items() if name not in PUT_TOGETHER}


@dataclass(frozen=True, eq=False)
class Checked:
    """How the gold rows fared when each was answered without its own label.

    Attributes
    ----------
    row_ids
        m ids of gold rows.
    truth, labels
        m JSON values.
    probability
        (m,) as in :class:`Answers`.
    correct
        (m,) whether the answer was right.
    weights
        (m,) importance weights where gold was not drawn evenly, or None. Rows of weight 0 were
        picked, not drawn: they teach, and measure nothing.
    votes
        Held-out probabilities of a kind's own parts, such as each class of several; may be
        empty.
    """

    row_ids: list[str]
    truth: list[Any]
    labels: list[Any]
    probability: NDArray[np.float64]
    correct: NDArray[np.bool_]
    weights: NDArray[np.float64] | None = None
    votes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def measured(self) -> Checked | None:
        """The rows that measure, without weights where these are all alike; None without any."""
        if self.weights is None:
            return self
        some = np.flatnonzero(self.weights > 0)
        if len(some) == 0:
            return None
        weights = self.weights[some]
        return Checked(
            row_ids=[self.row_ids[row] for row in some],
            truth=[self.truth[row] for row in some],
            labels=[self.labels[row] for row in some],
            probability=self.probability[some],
            correct=self.correct[some],
            weights=None if np.ptp(weights) < ALIKE else weights,
            votes={name: each[some] for name, each in self.votes.items()},
        )


@dataclass(frozen=True, eq=False)
class Gold:
    """Rows whose label a person checked.

    Attributes
    ----------
    rows
        ``row_id`` and the task's inputs, m rows.
    texts
        What an annotator reads of each.
    labels
        m JSON values.
    weights
        (m,) importance weights of rows that were not drawn evenly, or None. Rows of weight 0 were
        picked, not drawn: they teach, and measure nothing.
    notes
        What contradicts itself or is absent, in plain words.
    """

    rows: pl.DataFrame
    texts: list[str]
    labels: list[Any]
    weights: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, some: Sequence[int]) -> Gold:
        """Return some of the rows, by their positions."""
        places = list(some)
        return replace(
            self,
            rows=self.rows[places] if places else self.rows.clear(),
            texts=[self.texts[row] for row in places],
            labels=[self.labels[row] for row in places],
            weights=None if self.weights is None else self.weights[places],
        )

    @property
    def measures(self) -> bool:
        """Whether there is a row to measure with: one that was not picked."""
        return len(self) > 0 and (self.weights is None or bool((self.weights > 0).any()))

    @property
    def teaching(self) -> NDArray[np.float64] | None:
        """(m,) how much each row teaches: a picked one as much as an average drawn one."""
        measuring = self.measuring
        return None if measuring is None else np.where(measuring > 0, measuring, 1.0)

    @property
    def measuring(self) -> NDArray[np.float64] | None:
        """(m,) how much each row counts in what is measured, 1 on average of drawn rows."""
        if self.weights is None:
            return None
        return np.asarray(self.weights / self.weights[self.weights > 0].mean())


@dataclass(frozen=True)
class Cost:
    """What a question takes: requests, tokens read and written, US dollars, seconds.

    The seconds are expected ones; nothing counts how long a question took.
    """

    requests: int = 0
    tokens: int = 0
    money: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.money + other.money,
            self.seconds + other.seconds,
        )

    def times(self, factor: float) -> Cost:
        """Return the cost of ``factor`` times as many rows."""
        return Cost(
            round(self.requests * factor),
            round(self.tokens * factor),
            self.money * factor,
            self.seconds * factor,
        )


@dataclass(frozen=True, eq=False)
class Stage:
    """One model of a cascade.

    Attributes
    ----------
    model
        Its name.
    used
        Whether it was asked about the rows that those before it left open.
    why
        Why it was used or skipped, in plain words.
    share
        Share of the rows that were expected to reach it.
    expected
        What it was expected to cost, told before it was asked; None where it was not worked out.
    measured
        What it did cost; None while rows are being answered.
    checked
        How it fared on the gold rows; None where it was not asked about them.
    judged
        Whether the test behind the guarantee took it in.
    """

    model: str
    used: bool
    why: str
    share: float | None = None
    expected: Cost | None = None
    measured: Cost | None = None
    checked: Checked | None = None
    judged: bool = False


__all__ = [
    "Answers",
    "Checked",
    "Cost",
    "Gold",
    "LabelSettings",
    "LabelTask",
    "Stage",
    "Status",
    "Step",
]
