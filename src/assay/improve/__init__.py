"""The loop: gathers proposals, screens each, confirms the kept bundle once, and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.callable_module import make_callable
from assay.improve.events import Listener, Progress, ignore
from assay.improve.spec import ImproveResult

if TYPE_CHECKING:
    from assay.llm import Budget
    from assay.project import Project
    from assay.recipe import ProposalSource

__all__ = ["ImproveResult", "improve"]


def improve(
    project: Project,
    *,
    budget: Budget | None = None,
    sources: Sequence[ProposalSource] | None = None,
    models: Mapping[str, Any] | None = None,
    on_event: Listener = ignore,
    batch: bool = False,
) -> ImproveResult:
    """Improve the project's recipe and prove it.

    Every proposal is screened on the ``search`` rows by repeated cross-validation; what is kept
    is confirmed as one bundle against the starting recipe on the vault. ``recipe.toml`` changes
    only when the vault confirms. A run that was stopped continues where it was.

    Parameters
    ----------
    project
        Where to work; see :meth:`assay.Project.open`.
    budget
        Hard caps; by default the project's own.
    sources
        Proposal sources in the order they are asked; by default all that are registered;
        ``synth`` only where ``assay.toml`` says so.
    models
        Language models by name, in place of the ones the gateway would load.
    on_event
        Called with each :data:`assay.improve.events.Event` as it happens.
    batch
        Whether the model for labels is asked in batches: half price, answered within a day.

    Returns
    -------
    ImproveResult
        Also kept in the ledger: ``assay report`` shows it again.

    Raises
    ------
    InputError
        When the project's ``constraints.toml`` is not usable.
    ProjectError
        When another process is at the same run.
    """
    from assay.improve.account import accounted, asks_elsewhere
    from assay.improve.finish import finish
    from assay.improve.loop import Loop
    from assay.improve.observe import stated_text
    from assay.improve.rehearse import rehearse
    from assay.improve.run import held_run
    from assay.improve.sources import registered_sources
    from assay.recipe import Tools

    if batch:
        from assay.llm.batch import require_batches

        require_batches(project.settings.models.label)
    budget = project.settings.budget if budget is None else budget
    if sources is None:
        passed_over = () if project.settings.synth.propose else ("synth",)
        sources = [each for each in registered_sources() if each.name not in passed_over]
    baseline = project.recipe
    stated_text(project)  # what cannot be read is told before anything is asked or fitted
    with held_run(project, baseline, [each.name for each in sources]) as run:
        forecast = None
        if asks_elsewhere(project):
            forecast = rehearse(project, sources=sources, models=models, batch=batch)
        with (
            accounted(run.ledger, forecast, on_event, run=run.id),
            project.gateway(
                budget=budget,
                run=run.id,
                models=models,
                progress=lambda seen: on_event(Progress(seen.what, seen.done, seen.total, seen)),
                capability="improve",
                batch=batch,
            ) as gateway,
        ):
            loop = Loop(
                project=project,
                run=run,
                gateway=gateway,
                tools=Tools.of(run.ledger, gateway),
                budget=budget,
                tell=on_event,
                search=project.search(),
                pool=project.pool(),
                baseline=baseline,
                incumbent=baseline,
            )
            loop.tell_plan()
            loop.look_for_copies()
            loop.screen_all(sources)
            return finish(loop)


make_callable(__name__)
