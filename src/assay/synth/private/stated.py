"""What the user says of private rows, since the real rows may not tell it."""

from __future__ import annotations

from collections.abc import Sequence

from assay.errors import InputError
from assay.project.settings import Synth
from assay.synth.constraints import Constraint
from assay.task import Task


def require_stated(
    settings: Synth,
    task: Task,
    *,
    scoped: bool,
    rows: int | None,
    constraints: Sequence[Constraint] | None,
) -> None:
    """Refuse what would tell of the real rows beside the noise.

    How many rows are made, of which class, and what they are held to is in no account of epsilon.
    By default each is read off the real rows: tables that differ by one row then differ in it with
    certainty.

    Parameters
    ----------
    scoped
        Whether the user named a class or a slice.
    constraints
        What ``constraints.toml`` says; None without one.

    Raises
    ------
    InputError
        When one of them is not stated, or not as public.
    """
    if task.class_names and not scoped:
        raise InputError(
            "private needs a class: to choose it by the rows tells of them.",
            allowed=", ".join(task.class_names[:20]),
            next_step="name it by for_class (--for-class)",
        )
    if rows is None:
        raise InputError(
            "private needs rows: by default there are so many for each real one, which tells how "
            "many these are.",
            allowed="a number that does not rest on how many real rows there are",
            next_step="say rows (--rows 500)",
        )
    if constraints and not settings.constraints_public:
        raise InputError(
            "constraints.toml may hold what was mined from the real rows, and private rows that "
            "keep to it tell that.",
            given=f"{len(constraints)} constraints",
            allowed="those that are public: what anyone knows who has not seen the rows",
            next_step="remove the others, then say constraints_public = true under settings.synth "
            "in assay.toml",
        )
