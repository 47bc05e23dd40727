"""What got better and what got worse between two models, on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.detectors import classes
from assay.diagnose.detectors.classes import ClassDetector
from assay.diagnose.detectors.mixtures import MixtureDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.excess import excess_loss
from assay.diagnose.given import read_case
from assay.diagnose.harness import FDR, MIN_SHARE, examine
from assay.diagnose.pairing import paired
from assay.diagnose.spec import Detector, Diagnosis, Finding
from assay.errors import InputError
from assay.evidence import Evidence, Interval, compare
from assay.evidence.clt import FEWEST_OF_TWO, MIN_ROWS, Linear, pool
from assay.tables.predicate import Mask
from assay.task import Task

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Two models compared row by row.

    Attributes
    ----------
    gain
        Of the newer model over the older, on all rows.
    worse, better
        Where the newer one got worse, and better, and more so than elsewhere: found on one half of
        the rows by the change of each row's loss, confirmed on the other half. Costs are the loss
        that was added, or saved, there; their shares are of the older model's mean loss.
    """

    gain: Evidence
    worse: Diagnosis
    better: Diagnosis

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain JSON values."""
        return {
            "gain": self.gain.as_dict(),
            "worse": self.worse.as_dict(),
            "better": self.better.as_dict(),
        }


def difference(
    old: Any,
    new: Any,
    *,
    truth: str | None,
    fdr: float = FDR,
    min_effect: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Difference:
    """Compare two tables of predictions for the same rows.

    Parameters
    ----------
    old, new
        Rows with their true values, and ``prediction`` or ``probability:CLASS``; see
        :func:`assay.diagnose.diagnose`. Rows are paired by ``row_id`` where both have it, else in
        order, and then all that both tell of a row must be the same.
    min_effect
        Smallest change of the loss worth telling; by default a tenth of the older mean loss.
    options
        As for :func:`assay.diagnose.diagnose`: ``text``, ``kind``, ``group``, ``weight``, ``time``.

    Raises
    ------
    InputError
        When the two hold other rows or other true values, or predictions of another kind.
    """
    tables = paired(old, new, truth=truth, said=options.get("predictions"))
    before, after = (read_case(each, truth=truth, seed=seed, **options) for each in tables)
    whole = float(np.average(before.losses, weights=before.weights))
    least = MIN_SHARE * whole if min_effect is None else min_effect

    def found(losses: np.ndarray, words: str, turned: str) -> Diagnosis:
        test = partial(_change, words)
        detectors: list[Detector] = [
            SliceDetector(test=test), MixtureDetector(test=test), ClassDetector(test=test)
        ]  # fmt: skip
        told = examine(
            replace(after, losses=losses), detectors, loss=words, fdr=fdr,
            min_effect=least, whole=whole,
        )  # fmt: skip
        return replace(told, findings=tuple(_turned(each, turned) for each in told.findings))

    names = _classes_of(before.task, after.task)
    return Difference(
        gain=compare(
            after.truth,
            before.predictions,
            after.predictions,
            metric="mae" if names is None else "accuracy",
            classes=names,
            groups=after.groups,
            weights=after.weights,
        ),
        worse=found(after.losses - before.losses, "loss added", "worse"),
        better=found(before.losses - after.losses, "loss saved", "better"),
    )


def _classes_of(before: Task, after: Task) -> tuple[str, ...] | None:
    """Return the classes of two tasks together; None of a regression."""
    kinds = before.kind, after.kind
    if "regression" not in kinds:
        return tuple(dict.fromkeys((*after.class_names, *before.class_names)))
    if before.kind != after.kind:
        raise InputError(
            "One table's predictions are classes, and the other's are values.",
            given=", ".join(kinds),
            allowed="two of one kind",
            next_step="name the kind with --kind",
        )
    return None


def _change(words: str, part: Case, mask: Mask, *, name: str) -> Evidence | None:
    """Return the mean change of the rows in ``mask``, or what it is beyond that of the others.

    The smaller effect of the two is told, and the larger p-value: rows that stayed as they were
    did not get worse because others got better.
    """
    own, beyond = _own_change(part, mask), excess_loss(part, mask, name=words)
    if own is None or beyond is None:
        return None
    told = min(own, beyond, key=lambda each: each.estimate)
    return replace(
        told,
        name=words,
        method=f"{beyond.method}; and a t-test of the rows' own change: the larger p-value",
        p_value=max(own.p_value or 0.0, beyond.p_value or 0.0),
        details=beyond.details,
    )


def _own_change(part: Case, mask: Mask) -> Evidence | None:
    """Return the mean change of the rows in ``mask``, tested as two models are compared."""
    counted = mask if part.weights is None else mask & (part.weights > 0)
    inside = part.take(np.flatnonzero(counted))
    weights = np.ones(inside.n) if inside.weights is None else inside.weights
    members = None if inside.groups is None else np.unique(inside.groups, return_inverse=True)[1]
    units = inside.n if members is None else int(members.max(initial=-1)) + 1
    if inside.n < MIN_ROWS or units < FEWEST_OF_TWO:
        return None
    mean = float(np.average(inside.losses, weights=weights))
    influence = weights / weights.mean() * (inside.losses - mean)
    bound = None if part.task.kind == "regression" else 1.0
    pooled = pool([Linear(mean, influence, bound)], members, paired=True, between=False)
    return Evidence(
        name="change",
        estimate=pooled.value,
        interval=Interval(*pooled.interval(LEVEL), LEVEL),
        n=inside.n,
        method="t-test",
        p_value=pooled.p_above(0.0),
    )


def _turned(finding: Finding, word: str) -> Finding:
    """Return the finding in words of change; what mends a model is no matter of two models."""
    on_class = finding.code == classes.CODE
    where = f"on class {finding.about[0]!r}" if on_class else finding.title.removeprefix("worse ")
    return replace(
        finding,
        title=f"got {word} {where}",
        cause=f"the newer model does {word} on these rows than the older one",
        remedies=(),
    )
