"""Every family that suits a task, and the portfolio: their defaults, best first."""

from __future__ import annotations

from itertools import zip_longest

from assay.errors import InputError
from assay.experiment.search.carrying import carrying
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.mixed import MIXED
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
        For a name that is none of this task's, or where every one named needs texts embedded, or
        columns of texts, and these are left out.
    """
    found = text_families(seen) if seen.task.text else tabular_families(seen)
    names = [each.name for each in found]
    why, missing = _missing(seen)
    unknown = [each for each in only if each not in names and each not in missing]
    if unknown:
        raise InputError(
            "There is no such family for this task.", given=unknown[0], allowed=", ".join(names)
        )
    if only and not set(only) & set(names):
        more = "give it more minutes, or " if seen.task.text else ""
        raise InputError(
            f"No family is left to search in: {why}.",
            given=", ".join(only),
            allowed=", ".join(names),
            next_step=f"{more}name other families",
        )
    wanted = tuple(each for each in found if not only or each.name in only)
    return wanted if seen.baseline is None else carrying(wanted, seen.baseline)


def _missing(seen: Circumstances) -> tuple[str, tuple[str, ...]]:
    """Return why some families are not there that a plan may name beside others, and their names.

    A plan knows no limit of time, and none of the columns that a search leaves out besides.
    """
    if seen.task.text:
        return "texts are not embedded here", () if seen.embed_model else EMBEDDED
    return "no column that is read holds texts", () if seen.texts else MIXED


def portfolio(families: tuple[Family, ...]) -> list[tuple[Family, Values]]:
    """Return every family's first default, then the second ones: complementary models early."""
    rounds = zip_longest(*(each.defaults for each in families))
    return [
        (family, values)
        for each in rounds
        for family, values in zip(families, each, strict=True)
        if values is not None
    ]
