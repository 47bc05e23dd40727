"""What the report shows beside the verdicts: the bundle's screen, learning curve, confusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from assay.errors import InputError
from assay.improve.run import Run
from assay.improve.spec import Confusion, CurvePoint
from assay.project import Project
from assay.recipe import OutOfFold, Recipe, Tools, Trial, run_trial
from assay.recipe.trial import Step
from assay.seeds import derive_seed

SHARES = (0.25, 0.5, 1.0)
CURVE_MINIMUM = 50
"""A learning curve of fewer rows than this says nothing."""


@dataclass(frozen=True)
class Insight:
    """Both recipes on the ``search`` rows, at full size and at less."""

    trial: Trial
    curve: tuple[CurvePoint, ...]
    confusion_before: Confusion | None
    confusion_after: Confusion | None


def insight(
    project: Project,
    run: Run,
    search: pl.DataFrame,
    baseline: Recipe,
    recipe: Recipe,
    *,
    tools: Tools,
    step: Step,
) -> Insight:
    """Compare ``baseline`` and ``recipe`` on shares of ``search``; vault rows play no part."""
    trials: list[tuple[pl.DataFrame, Trial]] = []
    for share in SHARES:
        rows = search.sample(fraction=share, seed=derive_seed(project.settings.seed, "curve"))
        if share < 1 and rows.height < CURVE_MINIMUM:
            continue
        try:
            trial = run_trial(
                baseline,
                recipe,
                rows,
                project.task,
                tools=tools,
                seed=derive_seed(project.settings.seed, "curve", rows.height),
                repeats=1,
                step=step,
            )
            trials.append((rows, trial))
        except InputError:
            if share == 1:
                raise
            # So few rows that a class or group is missing: the curve starts further right.
    rows, full = trials[-1]
    return Insight(
        trial=full,
        curve=tuple(
            CurvePoint(some.height, run.evidence(each.before), run.evidence(each.after))
            for some, each in trials
        ),
        confusion_before=_confusion(project, run, rows, full.out_of_fold_before),
        confusion_after=_confusion(project, run, rows, full.out_of_fold_after),
    )


def _confusion(
    project: Project, run: Run, rows: pl.DataFrame, predicted: OutOfFold
) -> Confusion | None:
    names = project.task.class_names
    if not names:
        return None
    codes = {name: code for code, name in enumerate(names)}
    truth = rows[predicted.rows][project.task.target].to_list()
    found = predicted.predictions[0]
    guesses = found.argmax(axis=1) if found.ndim == 2 else [codes[label] for label in found]
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, ([codes[label] for label in truth], guesses), 1)
    body = {"classes": list(names), "counts": counts.tolist()}
    id_ = run.ledger.record("evidence", {"name": "confusion", **body}, run=run.id)
    return Confusion(names, tuple(tuple(row) for row in counts.tolist()), id_)
