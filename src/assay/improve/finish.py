"""The end of a run: confirm, look back, save the recipe, keep the result."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from assay.config import write_text
from assay.experiment.features import features_module
from assay.improve.events import Progress
from assay.improve.insight import insight
from assay.improve.loop import Loop
from assay.improve.spec import Cost, ImproveResult, RowCounts
from assay.ledger.spending import models_asked
from assay.recipe import Derived, recipe_diff


def finish(loop: Loop) -> ImproveResult:
    """Confirm the bundle, build the result, keep it, and save a confirmed recipe."""
    confirmed = loop.confirm()
    seen = insight(
        loop.project,
        loop.run,
        loop.search,
        loop.baseline,
        loop.incumbent,
        tools=loop.tools,
        step=lambda done, total: loop.tell(Progress("learning curve", done, total)),
    )
    project, record = loop.project, loop.run.evidence
    result = ImproveResult(
        project=project.path.name,
        run=loop.run.id,
        task=project.task,
        seed=project.settings.seed,
        rows=RowCounts(loop.search.height, loop.pool.height, project.vault().n),
        baseline=loop.baseline,
        recipe=loop.incumbent,
        diff=recipe_diff(loop.baseline, loop.incumbent),
        attempts=tuple(loop.attempts),
        skipped=tuple(loop.skipped),
        screened_before=record(seen.trial.before),
        screened_after=record(seen.trial.after),
        confirmed=confirmed,
        learning_curve=seen.curve,
        confusion_before=seen.confusion_before,
        confusion_after=seen.confusion_after,
        cost=_cost(loop),
        stopped=loop.stopped,
        warnings=tuple(loop.warnings),
        plan=loop.plan,
    )
    _keep(loop, result)
    return result


def _keep(loop: Loop, result: ImproveResult) -> None:
    if result.improved:
        loop.project.save_recipe(result.recipe)
        _write_features(loop.project.path, result)
    loop.run.end(result.to_json(), result.recipe, name="result.json")


def _write_features(folder: Path, result: ImproveResult) -> None:
    """Write the functions among the recipe's features where a person may read them."""
    derived = [each for each in result.recipe.features if isinstance(each, Derived)]
    if derived:
        found = {
            each.name: f"Screened: {each.verdict.reason} Ledger entry {each.verdict_id}."
            for each in result.attempts
            if each.verdict.kept
        }
        write_text(folder / "features.py", features_module(derived, found))


def _cost(loop: Loop) -> Cost:
    spend = loop.gateway.spend
    return Cost(
        money=spend.money,
        calls=spend.calls,
        cached=spend.cached,
        tokens=spend.tokens,
        seconds=round(time.monotonic() - loop.started, 3),
        peak_memory_mib=round(peak_memory_mib(), 1),
        models=tuple(models_asked(loop.run.ledger, loop.run.id)),
    )


def peak_memory_mib() -> float:
    """Return the most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
