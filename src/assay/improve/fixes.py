"""Fixes of what a diagnosis found, tried: on the rows it is about, and on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose
from assay.diagnose.propose import FindingSource, Remedied, remedied
from assay.diagnose.spec import Diagnosis
from assay.diagnose.strategies.ranking import FIXES, odds_by_kind
from assay.diagnose.strategies.tried import Fix, Fixes, FixVerdict
from assay.errors import InputError
from assay.evidence import Evidence, compare
from assay.improve import improve
from assay.improve.events import Listener, ignore
from assay.improve.spec import Attempt, ImproveResult
from assay.improve.split_again import split_again
from assay.project import Project
from assay.recipe import Recipe, Tools, out_of_fold, splits
from assay.seeds import derive_seed
from assay.synth.constraints import stated_constraints
from assay.task import Task

FEWEST = 20
FLATTERING = ("AS401", "AS404", "AS602")
"""What leaks or leads astray raises the score on these very rows: a loss without it proves
nothing against leaving it out."""


def try_fixes(
    project: Project,
    diagnosis: Diagnosis | None = None,
    *,
    models: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
) -> Fixes:
    """Try what the diagnosis suggests, through the loop of :func:`assay.improve.improve`.

    Parameters
    ----------
    diagnosis
        Of this project, and its newest; by default it is made now.
    """
    found = diagnose(project, models=models).whole() if diagnosis is None else diagnosis
    before = project.recipe
    stated = stated_constraints(project)
    odds = odds_by_kind(project.ledger())
    suggested = remedied(found, project.task, odds=odds, constraints=stated)
    result = improve(project, sources=[FindingSource()], models=models, on_event=on_event)
    attempts = {each.name: each for each in result.attempts}
    tried = [each for each in suggested if each.proposal.name in attempts]
    with project.gateway(models=models, capability="diagnose") as gateway:
        tools = Tools.of(project.ledger(), gateway)
        again = split_again(project, before, found, tools)
        gains = _on_slices(project, before, tried, tools)
    fixes = tuple(
        _judged(each, attempts[each.proposal.name], gain, result)
        for each, gain in zip(tried, gains, strict=True)
    )
    told = [{"kind": each.kind, "verdict": each.verdict} for each in fixes]
    measured = [{"by": each.by, "column": each.column, "change": each.change.as_dict()}
                for each in again]  # fmt: skip
    project.ledger().record("event", {FIXES: told, "splits": measured})
    kept = None if result.confirmed is None else result.confirmed.verdict.main
    return Fixes(fixes, kept, result.run, again)


def _judged(
    fix: Remedied, attempt: Attempt, on_slice: Evidence | None, result: ImproveResult
) -> Fix:
    on_all = attempt.verdict.main
    measured = [each for each in (on_all, on_slice) if each is not None]
    verdict: FixVerdict = "undecided"
    worse = any(each.interval.high < 0 for each in measured)
    if worse and fix.finding.code not in FLATTERING:
        verdict = "harmful"
    elif attempt.verdict.kept and result.improved and all(each.estimate > 0 for each in measured):
        verdict = "proven"
    return Fix(
        fix.finding.code, fix.finding.title, fix.proposal.name, verdict, on_all, on_slice, fix.kind
    )


def _on_slices(
    project: Project, before: Recipe, tried: Sequence[Remedied], tools: Tools
) -> list[Evidence | None]:
    """Return what each fix gains on its finding's rows, out of fold; None where there are none."""
    about_rows = [each for each in tried if each.finding.predicate is not None]
    if not about_rows:
        return [None] * len(tried)
    task, search = project.task, project.search()
    seed = derive_seed(project.settings.seed, "fixes")
    found = splits(search, task, seed=seed, repeats=1)
    recipes = (before, *(each.proposal.apply(before) for each in about_rows))
    as_was, *as_mended = out_of_fold(recipes, search, task, found, tools=tools, seed=seed)
    rows = search[as_was.rows]
    gains = {
        each.proposal.name: _gain(task, rows, each, as_was.predictions[0], mended.predictions[0])
        for each, mended in zip(about_rows, as_mended, strict=True)
    }
    return [gains.get(each.proposal.name) for each in tried]


def _gain(
    task: Task, rows: pl.DataFrame, fix: Remedied, before: np.ndarray, after: np.ndarray
) -> Evidence | None:
    if fix.finding.predicate is None:
        return None
    inside = np.flatnonzero(fix.finding.predicate.select(rows))
    if len(inside) < FEWEST:
        return None
    for metric in _metrics(task, fix):
        with suppress(InputError):  # these rows hold too few of a class for it
            return compare(
                rows[task.target][inside],
                before[inside],
                after[inside],
                metric=metric,
                classes=None if task.kind == "regression" else task.class_names,
                groups=None if task.group is None else rows[task.group][inside],
            )
    return None


def _metrics(task: Task, fix: Remedied) -> tuple[str, ...]:
    """Return what a fix is judged by on its finding's rows, what suits it best first.

    To calibrate is to better probabilities: on few rows it seldom turns an answer.
    """
    if fix.kind == "calibrate":
        return ("log_loss",)
    return (task.metric,) if task.kind == "regression" else (task.metric, "accuracy")
