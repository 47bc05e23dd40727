"""Every family that suits a task, and the portfolio: their defaults, best first."""

from __future__ import annotations

from itertools import zip_longest

from assay.errors import InputError
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.space import Family, Values
from assay.experiment.search.tabular import tabular_families
from assay.experiment.search.texts import EMBEDDED, text_families
from assay.task import Task


def imports_for(task: Task) -> tuple[str, ...]:
    """Return the modules that most recipes of ``task`` need."""
    if task.text:
        return ("sklearn.linear_model", "sklearn.feature_extraction.text", "sklearn.svm")
    return ("sklearn.linear_model", "sklearn.ensemble", "skrub")


def families_for(seen: Circumstances, only: tuple[str, ...] = ()) -> tuple[Family, ...]:
    """Return the families worth trying, the most promising first.

    Parameters
    ----------
    only
        Names of families; by default every one that suits the task.

    Raises
    ------
    InputError
        For a name that is none of this task's, or where every one named embeds texts and they
        are left out.
    """
    found = text_families(seen) if seen.task.text else tabular_families(seen)
    names = [each.name for each in found]
    # A plan, which knows no limit of time, may name them beside others.
    left_out = EMBEDDED if seen.task.text and seen.embed_model is None else ()
    unknown = [each for each in only if each not in names and each not in left_out]
    if unknown:
        raise InputError(
            "There is no such family for this task.", given=unknown[0], allowed=", ".join(names)
        )
    if only and not set(only) & set(names):
        raise InputError(
            "No family is left to search in: texts are not embedded here.",
            given=", ".join(only),
            allowed=", ".join(names),
            next_step="give it more minutes, or name other families",
        )
    return tuple(each for each in found if not only or each.name in only)


def portfolio(families: tuple[Family, ...]) -> list[tuple[Family, Values]]:
    """Return every family's first default, then the second ones: complementary models early."""
    rounds = zip_longest(*(each.defaults for each in families))
    return [
        (family, values)
        for each in rounds
        for family, values in zip(families, each, strict=True)
        if values is not None
    ]
