"""Experiments: the search for the best honest recipe, and edits proposed by rules."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.callable_module import make_callable
from assay.experiment.propose import (
    ClassWeightSource,
    EstimatorSource,
    FeatureSource,
    RegularisationSource,
    ThresholdSource,
)

if TYPE_CHECKING:
    from assay.experiment.events import Listener
    from assay.experiment.plan import ExperimentPlan
    from assay.experiment.result import ExperimentResult
    from assay.project import Project
    from assay.recipe import Estimator

__all__ = [
    "ClassWeightSource",
    "EstimatorSource",
    "FeatureSource",
    "RegularisationSource",
    "experiment",
    "ThresholdSource",
]


def experiment(
    project: Project,
    *,
    minutes: float | None = None,
    plan: ExperimentPlan | None = None,
    families: Sequence[str] = (),
    estimators: Sequence[Estimator] = (),
    keep: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    most: int | None = None,
    workers: int | None = None,
    fit_seconds: float | None = None,
    memory_gib: float | None = None,
    engine: str = "local",
    sampler: str = "tpe",
    confirm: bool = True,
    simplest: bool = True,
    models: Mapping[str, Any] | None = None,
    on_event: Listener | None = None,
) -> ExperimentResult:
    """Search for the best recipe, judge it on fresh folds, and confirm it once on the vault.

    A portfolio of complementary defaults comes first, then what Optuna proposes; successive
    halving drops what does badly on one fold. Every fit runs in a process of its own that is
    killed when it takes too long or too much memory. What scored best is blended; the
    one-standard-error rule chooses; the gate compares the choice with the project's recipe; and
    ``recipe.toml`` changes only when the vault confirms. A search that was stopped goes on.

    Parameters
    ----------
    project
        Where to work; see :meth:`assay.Project.open`.
    minutes
        For all of it; judging the choice is part of it. By default the plan's, else ten.
    plan
        From :func:`assay.experiment.plan.make_plan`: its minutes, families, tries and columns
        left out hold where nothing else is given. Where it states costs, the search, the gate and
        the vault judge by them, and once a recipe is confirmed so does the project.
    families
        Names of families to search in; by default all that suit the task.
    estimators
        Your own, tried first: any import path with ``fit`` and ``predict``.
    keep
        Columns that may stay although they seem to give the target away.
    leave_out
        Columns that no recipe may read, beside those that give the target away.
    most
        Recipes to try at most.
    workers
        Fits side by side; by default one for each core, or each free processor of the cluster.
    fit_seconds
        The longest that one fit may take; by default 15 % of the time, and at least ten seconds.
    memory_gib
        What one fit's process may hold; by default its share of 70 % of what is free.
    engine
        Where fits are done: ``local``, or ``ray`` for a cluster.
    sampler
        ``tpe``, or ``random`` for a comparison.
    confirm
        Whether the vault is looked at; without, nothing is promised and nothing saved.
    simplest
        Whether the one-standard-error rule chooses; without, what scores best is chosen.
    models
        Language models by name, in place of the ones the gateway would load.
    on_event
        Called with each :data:`assay.experiment.events.Event` as it happens.

    Raises
    ------
    InputError
        When an option is not usable, or every column gives the target away or is left out.
    MissingExtraError
        Without the ``experiment`` extra, or the ``ray`` extra where the engine is that.
    ProjectError
        When another process is at the same search.
    """
    began = time.monotonic()  # what is imported next is waited for too
    from assay.experiment.clock import Clock
    from assay.experiment.events import ignore
    from assay.experiment.order import Order
    from assay.experiment.record import Record
    from assay.experiment.run import Search
    from assay.experiment.search.places import place_of
    from assay.experiment.search.tuner import checked_sampler
    from assay.recipe import Tools

    tell = ignore if on_event is None else on_event
    if plan is not None and plan.costs is not None:
        project = project.judged_by(plan.costs.metric)
    order = Order(
        minutes=(10.0 if plan is None else plan.minutes) if minutes is None else minutes,
        families=tuple(families) or (() if plan is None else plan.families),
        tries=() if plan is None else plan.tries,
        estimators=tuple(estimators),
        keep=tuple(keep),
        leave_out=_left_out(plan, keep, leave_out),
        most=most,
        workers=workers,
        fit_seconds=fit_seconds,
        memory_gib=memory_gib,
        engine=engine,
        sampler=checked_sampler(sampler),
        confirm=confirm,
        simplest=simplest,
    )
    beginning = {
        **order.beginning,
        "baseline": project.recipe.hash,
        "task": project.task.model_dump(mode="json"),
        "seed": project.settings.seed,
        "vault": project.vault().id,
    }
    with (
        place_of(order.engine, order.workers) as place,
        Record.held(project.ledger(), beginning) as record,
    ):
        gateway = project.gateway(run=record.id, models=models, capability="experiment")
        with gateway:
            tools = Tools.of(record.ledger, gateway)
            clock = Clock(order, place.workers, began, place.memory)
            return Search(project, order, record, tools, tell, clock, place).run()


def _left_out(
    plan: ExperimentPlan | None, keep: Sequence[str], leave_out: Sequence[str]
) -> tuple[str, ...]:
    planned = () if plan is None else plan.left_out
    return (*leave_out, *(each for each in planned if each not in (*keep, *leave_out)))


make_callable(__name__)
