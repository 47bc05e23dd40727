"""Every way to make rows by one name each, and which of them suit a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.errors import InputError
from assay.project.settings import Synth
from assay.recipe import Made, conditions_of
from assay.synth.constraints import Constraint, constraints_to_toml
from assay.synth.private import PRIVATE
from assay.synth.spec import EVERY_ROW
from assay.synth.tabular import METHODS as TABULAR
from assay.synth.text import METHODS as TEXTUAL
from assay.synth.written import METHODS as WRITTEN
from assay.tables.predicate import Predicate
from assay.task import Task

AUTO = "auto"
MODEL_FREE = ("edit", "recombine", "smote", "forest", "copula")
"""What ``auto`` stands for, in the order of trial; its benchmark tries the same."""
CURATED_TEXTS = "assay.synth.text.curated_texts"
CURATED_ROWS = "assay.synth.curation.curated_rows"
PRIVATE_ROWS = "assay.synth.private.private_rows"


def chosen_methods(method: str, task: Task, class_name: str | None) -> tuple[str, ...]:
    """Return the methods that ``method`` stands for; ``auto`` asks no language model.

    Raises
    ------
    InputError
        When the method is not known or does not suit the task.
    """
    suitable = suitable_methods(task, class_name)
    if method == AUTO:
        return tuple(each for each in MODEL_FREE if each in suitable)
    if method not in suitable:
        raise InputError(
            "method does not suit this task.", given=method, allowed=", ".join((AUTO, *suitable))
        )
    return (method,)


def suitable_methods(task: Task, class_name: str | None) -> tuple[str, ...]:
    """Return the names of the methods that can make rows of ``task``."""
    free: tuple[str, ...] = (*TABULAR, PRIVATE) if task.text is None else (*TEXTUAL, "oversample")
    if class_name is None:
        return tuple(each for each in free if each != "smote")
    return (*free, *(WRITTEN if task.text is not None else WRITTEN[:1]))


def asks_a_model(method: str) -> bool:
    """Whether a language model writes the rows."""
    return method in WRITTEN


def maker(method: str) -> str:
    """Return the import path of the function that makes and sifts rows inside a fold."""
    if method == PRIVATE:
        return PRIVATE_ROWS
    return CURATED_TEXTS if method in TEXTUAL else CURATED_ROWS


def made_by(
    method: str,
    dose: float,
    *,
    class_name: str | None = None,
    where: Predicate = EVERY_ROW,
    settings: Synth | None = None,
    constraints: Sequence[Constraint] | None = None,
) -> Made:
    """Return the part of a recipe that makes rows by a method without a model in each fold."""
    return Made(
        path=maker(method),
        class_name=class_name or "",
        where=conditions_of(where),
        dose=dose,
        parameters=making_parameters(method, settings or Synth(), constraints),
    )


def making_parameters(
    method: str, settings: Synth, constraints: Sequence[Constraint] | None = None
) -> dict[str, Any]:
    """Return what :func:`maker`'s function is told beside the class and the dose."""
    if method == PRIVATE:
        constraints = constraints or None
    stated = {} if constraints is None else {"constraints": constraints_to_toml(constraints)}
    if method != PRIVATE:
        return {"method": method, **stated}
    ranges = {name: list(each) for name, each in settings.ranges.items()}
    return {"epsilon": settings.epsilon, "delta": settings.delta, "ranges": ranges, **stated}
