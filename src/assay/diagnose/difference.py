"""What got better and what got worse between two models, on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.detectors.classes import ClassDetector
from assay.diagnose.detectors.mixtures import MixtureDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.given import read_case
from assay.diagnose.harness import FDR, MIN_SHARE, examine
from assay.diagnose.spec import Detector, Diagnosis
from assay.errors import InputError
from assay.evidence import Evidence, compare


@dataclass(frozen=True)
class Difference:
    """Two models compared row by row.

    Attributes
    ----------
    gain
        Of the newer model over the older, on all rows.
    worse, better
        Where the newer one does worse, and better, than elsewhere: found on one half of the rows
        by the change of each row's loss, confirmed on the other half.
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
    old: Any, new: Any, *, truth: str | None, fdr: float = FDR, seed: int = 0, **options: Any
) -> Difference:
    """Compare two tables of predictions for the same rows.

    Parameters
    ----------
    old, new
        Rows with their true values, and ``prediction`` or ``probability:CLASS``; see
        :func:`assay.diagnose.diagnose`. Rows are paired in order.
    options
        As for :func:`assay.diagnose.diagnose`: ``text``, ``kind``, ``group``, ``weight``.

    Raises
    ------
    InputError
        When the two hold other rows or other true values.
    """
    before, after = (read_case(each, truth=truth, seed=seed, **options) for each in (old, new))
    _require_same(before, after)
    least = MIN_SHARE * float(np.average(before.losses, weights=before.weights))

    def found(losses: np.ndarray, words: str) -> Diagnosis:
        detectors: list[Detector] = [SliceDetector(), MixtureDetector(), ClassDetector()]
        case = replace(after, losses=losses)
        return examine(case, detectors, loss=words, fdr=fdr, min_effect=least)

    regression = after.task.kind == "regression"
    return Difference(
        gain=compare(
            after.truth,
            before.predictions,
            after.predictions,
            metric="mae" if regression else "accuracy",
            classes=None if regression else after.task.class_names,
            groups=after.groups,
            weights=after.weights,
        ),
        worse=found(after.losses - before.losses, "loss added"),
        better=found(before.losses - after.losses, "loss saved"),
    )


def _require_same(before: Case, after: Case) -> None:
    if before.n != after.n:
        raise InputError(
            "The two files hold other rows.", given=f"{before.n:,} and {after.n:,} rows"
        )
    differing = int((before.truth != after.truth).sum())
    if differing:
        raise InputError(
            "The two files hold other true values, so rows cannot be paired.",
            given=f"{differing:,} rows differ",
            next_step="write both in the same order",
        )
