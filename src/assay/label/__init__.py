"""Labelling: rows in, labels out, with a guarantee measured on rows that a person checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.callable_module import make_callable

if TYPE_CHECKING:
    from assay.label.explaining import explain
    from assay.label.explanation import Explanation
    from assay.label.guidelines import GuidelineResult, draft_guidelines
    from assay.label.labeller import Labeller
    from assay.label.propose import PoolLabelSource
    from assay.label.result import LabelResult
    from assay.label.rules import vote
    from assay.label.spec import LabelSettings, Stage
    from assay.label.suspect_source import LabelErrorSource
    from assay.label.suspects import SuspectResult, find_label_errors
    from assay.label.task import LabelTask
    from assay.llm import Budget, Progress
    from assay.project import Project

__all__ = [
    "Explanation",
    "GuidelineResult",
    "LabelErrorSource",
    "LabelResult",
    "LabelSettings",
    "LabelTask",
    "Labeller",
    "PoolLabelSource",
    "SuspectResult",
    "draft_guidelines",
    "explain",
    "find_label_errors",
    "label",
    "vote",
]

_HOMES = {
    "Explanation": "explanation",
    "GuidelineResult": "guidelines",
    "LabelErrorSource": "suspect_source",
    "SuspectResult": "suspects",
    "draft_guidelines": "guidelines",
    "explain": "explaining",
    "vote": "rules",
    "Labeller": "labeller",
    "find_label_errors": "suspects",
    "LabelResult": "result",
    "LabelSettings": "spec",
    "LabelTask": "task",
    "PoolLabelSource": "propose",
}


def label(
    rows: Any,
    task: Any,
    gold: Any = None,
    *,
    model: str | Sequence[str] | None = None,
    precision: float | None = None,
    confidence: float = 0.95,
    budget: Budget | None = None,
    engine: str = "local",
    project: Project | None = None,
    settings: LabelSettings | None = None,
    models: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
    on_stage: Callable[[Stage], None] | None = None,
) -> LabelResult:
    """Label rows, and say how far the labels can be trusted.

    Parameters
    ----------
    rows
        Any kind of table, a path, or a list of texts.
    task
        A :class:`LabelTask`, a project's Task, class names, ``{class: description}``, or a
        pydantic model to extract.
    gold
        A table of rows whose label a person checked. Without it there is no guarantee. In a
        project, rows that were reviewed (``assay review``) are gold too.
    model
        ``provider:model``, or several, a cascade: each further one is asked only about the rows
        that those before it left open. ``settings.voters`` vote on every row.
    precision
        Share of the accepted labels that must be right; None accepts every label.
    confidence
        How sure that must be, over the draw of the gold rows.
    budget
        Hard caps.
    engine
        ``local``, or ``ray`` for a cluster.
    project
        Whose ledger, privacy and models are used; else a ledger in the user's cache folder.
    settings
        How the annotators work.
    models
        Models by name, in place of the ones that the names stand for.
    progress
        Told how far each question has come.
    on_stage
        Told of each model of a cascade, and its expected cost, before it is asked.

    Raises
    ------
    InputError
        When the rows, the task or gold cannot be used.
    """
    from assay.label.open import desk
    from assay.label.run import Order, run_labelling
    from assay.label.spec import LabelSettings
    from assay.label.task import LabelTask

    settings = LabelSettings() if settings is None else settings
    if model is not None:
        names = (model,) if isinstance(model, str) else tuple(model)
        settings = settings.model_copy(update={"models": names})
    tell = (lambda _: None) if on_stage is None else on_stage
    order = Order(settings, precision, confidence, engine, tell, reviewed=project is not None)
    with desk(project, budget=budget, models=models, progress=progress) as made:
        return run_labelling(
            rows, LabelTask.of(task), gold, order,
            gateway=made.gateway, run=made.run, door=made.door,
        )  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


make_callable(__name__)
