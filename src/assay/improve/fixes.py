"""Fixes of what a diagnosis found, tried: on the rows it is about, and on all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from assay.diagnose import diagnose
from assay.diagnose.propose import FindingSource, Remedied, remedied
from assay.diagnose.spec import Diagnosis
from assay.documents import Document
from assay.evidence import Evidence, compare
from assay.improve import improve
from assay.improve.events import Listener, ignore
from assay.improve.spec import Attempt, ImproveResult
from assay.project import Project
from assay.recipe import Tools, out_of_fold, splits
from assay.seeds import derive_seed

FixVerdict = Literal["proven", "harmful", "undecided"]
FEWEST = 20


@dataclass(frozen=True)
class Fix:
    """What one fix did.

    Attributes
    ----------
    verdict
        ``proven``: kept by the screen, better on its slice, and in a bundle that the vault
        confirmed, which proves the bundle, not each fix in it. ``harmful``: the whole interval of
        its gain, on all search rows or on its slice, lies below zero. Else ``undecided``.
    on_all
        Gain on the task's metric, over all search rows.
    on_slice
        Gain on the finding's rows, out of fold, under other folds than the diagnosis had. These
        rows were chosen for their errors, so it flatters; None where the finding is of no rows.
    """

    code: str
    finding: str
    name: str
    verdict: FixVerdict
    on_all: Evidence
    on_slice: Evidence | None = None


@dataclass(frozen=True)
class Fixes(Document):
    """A diagnosis acted upon.

    Attributes
    ----------
    confirmed
        Gain of all kept fixes together on the vault; None where none was kept.
    """

    fixes: tuple[Fix, ...]
    confirmed: Evidence | None
    run: str


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
    found = diagnose(project, models=models) if diagnosis is None else diagnosis
    before = project.recipe
    tried = remedied(found, project.task)
    result = improve(project, sources=[FindingSource()], models=models, on_event=on_event)
    attempts = {each.name: each for each in result.attempts}
    with project.gateway(models=models, capability="diagnose") as gateway:
        tools = Tools.of(project.ledger(), gateway)
        fixes = tuple(
            _judged(
                each, attempts[each.proposal.name], _on_slice(project, before, each, tools), result
            )
            for each in tried
            if each.proposal.name in attempts
        )
    kept = None if result.confirmed is None else result.confirmed.verdict.main
    return Fixes(fixes, kept, result.run)


def _judged(
    fix: Remedied, attempt: Attempt, on_slice: Evidence | None, result: ImproveResult
) -> Fix:
    on_all = attempt.verdict.main
    measured = [each for each in (on_all, on_slice) if each is not None]
    verdict: FixVerdict = "undecided"
    if any(each.interval.high < 0 for each in measured):
        verdict = "harmful"
    elif attempt.verdict.kept and result.improved and all(each.estimate > 0 for each in measured):
        verdict = "proven"
    return Fix(fix.finding.code, fix.finding.title, fix.proposal.name, verdict, on_all, on_slice)


def _on_slice(project: Project, before: Any, fix: Remedied, tools: Tools) -> Evidence | None:
    predicate = fix.finding.predicate
    if predicate is None:
        return None
    task, search = project.task, project.search()
    metric = "mae" if task.kind == "regression" else "accuracy"
    seed = derive_seed(project.settings.seed, "fixes")
    found = splits(search, task, seed=seed, repeats=1)
    judging = task if task.kind == "regression" else task.model_copy(update={"metric": "accuracy"})
    recipes = (before, fix.proposal.apply(before))
    said = out_of_fold(recipes, search, judging, found, tools=tools, seed=seed)
    rows = search[said[0].rows]
    inside = np.flatnonzero(predicate.select(rows))
    if len(inside) < FEWEST:
        return None
    classes = None if task.kind == "regression" else task.class_names
    groups = None if task.group is None else rows[task.group][inside]
    return compare(
        rows[task.target][inside],
        *(each.predictions[0][inside] for each in said),
        metric=metric,
        classes=classes,
        groups=groups,
    )
