"""The plan by rules alone: full and sound without any language model."""

from __future__ import annotations

from assay.experiment.leaks import leaks
from assay.experiment.plan.columns import columns_seen
from assay.experiment.plan.ground import Ground
from assay.experiment.plan.sections import MINUTES, lines_of
from assay.experiment.plan.spec import ExperimentPlan
from assay.experiment.plan.wishes import Wishes, wishes_in
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.families import families_for
from assay.experiment.search.space import Family
from assay.experiment.search.texts import EMBEDDED
from assay.project import Project

EXPLAINABLE = 1
FAST = 3
MOST_COMPLEX = 9
SLOW = ("neighbours",)
"""Simple to fit, slow to ask."""


def plan_by_rules(project: Project, question: str) -> tuple[ExperimentPlan, Ground]:
    """Return the plan, and what the rules went by. Vault rows play no part."""
    rows, task = project.search(), project.task
    columns = [name for name in (*task.inputs, task.group, task.time) if name]
    wishes = wishes_in(question, columns)
    found = leaks(rows, task, seed=project.settings.seed)
    left_out = tuple(each.column for each in found)
    costs = wishes.costs if task.kind == "binary" else None
    judged = task if costs is None else project.judged_by(costs.metric).task
    embed_model = project.settings.models.embed
    seen = Circumstances.of(judged, rows, without=left_out, embed_model=embed_model)
    read = columns_seen(rows, [name for name in task.inputs if name not in left_out])
    families = tuple(each for each in families_for(seen) if _is_wished(each, wishes))
    ground = Ground(project, rows, wishes, read, found, families)
    chosen, why = _metric(ground)
    plan = ExperimentPlan(
        question=question,
        metric=chosen,
        costs=costs,
        minutes=wishes.minutes or MINUTES,
        families=tuple(each.name for each in families),
        left_out=left_out,
        lines=tuple(lines_of(ground, chosen, why)),
    )
    return plan, ground


def _is_wished(family: Family, wishes: Wishes) -> bool:
    most = EXPLAINABLE if wishes.explain else FAST if wishes.fast else MOST_COMPLEX
    unwished = (*(SLOW if wishes.fast else ()), *(EMBEDDED if wishes.explain else ()))
    return family.complexity <= most and family.name not in unwished


def _metric(ground: Ground) -> tuple[str, str]:
    wishes, task, costs = ground.wishes, ground.task, ground.costs
    if task.kind == "regression":
        if wishes.large_errors:
            return "rmse", "large errors shall weigh more than in proportion"
        return task.metric, "the project's own: an error counts by its size"
    if costs is not None:
        return costs.metric, "the mean cost of a row, in your own unit"
    if wishes.chances:
        return "log_loss", "you ask for probabilities"
    if wishes.ranking and task.kind == "binary":
        return "auc", "you ask for an order of rows, and the area under the curve judges one"
    if wishes.every_class:
        return "macro_f1", "every class shall count the same, however rare"
    return task.metric, "the project's own"
