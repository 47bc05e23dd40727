"""What a look at the vault measures, and what it releases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from assay.evidence.guards import class_guards
from assay.evidence.measuring import compare, estimate
from assay.evidence.policy import decide
from assay.evidence.spec import Evidence, Verdict
from assay.task import Task

if TYPE_CHECKING:
    from assay.ledger import Ledger

Predict = Callable[[pl.DataFrame], np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Confirmation:
    """What one look at the vault released.

    Attributes
    ----------
    verdict
        Kept means confirmed. Its first evidence is the gain.
    before, after
        The task's metric on the vault rows, or None where only the verdict was released (a
        look that did not confirm while others remain; its figures would steer the next).
    id
        The verdict's ledger id.
    """

    verdict: Verdict
    before: Evidence | None
    after: Evidence | None
    looks_left: int
    id: str

    @property
    def confirmed(self) -> bool:
        """Whether the vault confirmed the change."""
        return self.verdict.kept


@dataclass(frozen=True)
class Terms:
    """On which terms a change is confirmed.

    Attributes
    ----------
    alpha, level
        Of this look's test, and of the intervals.
    allowed_loss
        Largest loss of recall of any class; None for no guards.
    """

    alpha: float
    level: float
    min_effect: float
    allowed_loss: float | None
    seed: int


@dataclass(frozen=True)
class Measured:
    """Both models on the locked rows."""

    verdict: Verdict
    before: Evidence
    after: Evidence

    def recorded(self, ledger: Ledger, run: str | None) -> Measured:
        """Return the same with every fact in the ledger, under its id."""

        def record(fact: Evidence) -> Evidence:
            return fact.with_id(ledger.record("evidence", fact.as_dict(), run=run))

        facts = tuple(record(each) for each in self.verdict.evidence)
        verdict = replace(self.verdict, evidence=facts)
        return Measured(verdict, record(self.before), record(self.after))

    def released(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {
            "verdict": self.verdict.as_dict(),
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
        }


def withheld() -> dict[str, Any]:
    """Return the one bit that a look releases when it did not confirm and others remain."""
    reason = "Not confirmed. The figures stay in the vault: they would steer the looks that remain."
    return {"verdict": Verdict("dropped", reason, ()).as_dict(), "before": None, "after": None}


def measure(
    rows: pl.DataFrame, task: Task, before: Predict, after: Predict, terms: Terms
) -> Measured:
    """Compare two models on labelled rows; the models are given no target."""
    truth = rows[task.target].to_numpy()
    inputs = rows.drop(task.target)
    old, new = before(inputs), after(inputs)
    classes = task.class_names or None
    shared: dict[str, Any] = {
        "classes": classes,
        "groups": None if task.group is None else rows[task.group].to_numpy(),
        "level": terms.level,
    }
    judged: dict[str, Any] = {"metric": task.metric, "seed": terms.seed, **shared}
    gain = compare(truth, old, new, min_effect=terms.min_effect, **judged)
    guards: tuple[Evidence, ...] = ()
    if classes is not None and terms.allowed_loss is not None:
        guards = class_guards(
            truth,
            _by_class(old),
            _by_class(new),
            allowed=terms.allowed_loss,
            metric=task.metric,
            threshold=task.threshold,
            **shared,
        )
    return Measured(
        decide(gain, alpha=terms.alpha, min_effect=terms.min_effect, guards=guards),
        estimate(truth, old, **judged),
        estimate(truth, new, **judged),
    )


def _by_class(predictions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return (n,) probabilities of the second class as (n, 2)."""
    if predictions.ndim == 1 and predictions.dtype.kind == "f":
        return np.column_stack([1 - predictions, predictions])
    return predictions
