"""Planted faults of columns and probabilities: leaks, drift, people, confidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.annotators import AnnotatorDetector
from assay.diagnose.detectors.calibration import CalibrationDetector
from assay.diagnose.detectors.drift import DriftDetector
from assay.diagnose.detectors.leakage import LeakageDetector
from assay.diagnose.detectors.times import TimeDetector
from assay.diagnose.spec import Detector

COLUMN = "planted column"
PEOPLE = 5


def leak_found(case: Case, share: float, random: np.random.Generator) -> bool:
    """Plant a column that repeats the target in a share of the rows, and draws it in the others."""
    kept = random.random(case.n) < share
    drawn = random.choice(np.asarray(case.task.class_names, dtype=object), case.n)
    values = pl.Series(COLUMN, np.where(kept, case.truth, drawn).astype(str))
    task = case.task.model_copy(update={"features": (*case.task.features, COLUMN)})
    planted = replace(case, rows=case.rows.with_columns(values), task=task, training=None)
    return _told(planted, LeakageDetector(), random)


def dates_found(case: Case, more: float, random: np.random.Generator) -> bool:
    """Plant dates of two years; the last class lies ``more`` oftener in the second than others."""
    own = case.truth == _last_class(case)
    late = random.random(case.n) < 0.5 + np.where(own, more / 2, -more / 2)
    days = random.integers(0, 365, case.n) + 365 * late
    values = pl.Series(COLUMN, [date(2020, 1, 1) + timedelta(days=each) for each in days.tolist()])
    task = case.task.model_copy(update={"time": None})
    planted = replace(case, rows=case.rows.with_columns(values), task=task, training=None)
    return _told(planted, TimeDetector(), random)


def annotator_found(case: Case, share: float, random: np.random.Generator) -> bool:
    """Hand the rows to five people; the first calls a share of the others the last class."""
    person = random.integers(PEOPLE, size=case.n)
    turned = (person == 0) & (random.random(case.n) < share)
    truth = np.where(turned, _last_class(case), case.truth)
    planted = replace(
        case,
        rows=case.rows.with_columns(pl.Series(COLUMN, person.astype(str))),
        annotator=COLUMN,
        truth=truth,
        losses=(truth != case.predictions).astype(np.float64),
    )
    return _told(planted, AnnotatorDetector(), random)


def drift_found(case: Case, deviations: float, random: np.random.Generator) -> bool | None:
    """Cut the rows in two, and move a column of numbers in one part, by so many deviations."""
    numbers = [
        name for name in case.columns
        if case.rows[name].dtype.is_numeric() and (case.rows[name].std() or 0) != 0
    ]  # fmt: skip
    if not numbers:
        return None
    name = numbers[int(random.integers(len(numbers)))]
    order = random.permutation(case.n)
    training, judged = case.take(order[: case.n // 2]), case.take(order[case.n // 2 :])
    moved = pl.col(name) + deviations * pl.col(name).std()
    planted = replace(judged, rows=judged.rows.with_columns(moved), training=training.rows)
    return _told(planted, DriftDetector(), random)


def confidence_found(case: Case, power: float, random: np.random.Generator) -> bool | None:
    """Draw truth from the stated probabilities, then state them raised to a power."""
    if case.probabilities is None:
        return None
    chosen = case.probabilities.cumsum(axis=1) > random.random((case.n, 1))
    truth = np.asarray(case.task.class_names, dtype=object)[chosen.argmax(axis=1)]
    raised = case.probabilities**power
    shares = raised / raised.sum(axis=1, keepdims=True)
    losses = (truth != case.predictions).astype(np.float64)
    planted = replace(case, truth=truth, probabilities=shares, losses=losses)
    return _told(planted, CalibrationDetector(), random)


def _last_class(case: Case) -> str:
    """Return the last class that some row has: others are only said."""
    return [name for name in case.task.class_names if (case.truth == name).any()][-1]


def _told(case: Case, detector: Detector, random: np.random.Generator) -> bool:
    seeded = replace(case, seed=int(random.integers(2**31)))
    return bool(diagnose_case(seeded, detectors=[detector]).findings)
