"""Which class a label means, however it was written."""

from __future__ import annotations

from typing import Any

from assay.errors import InputError
from assay.label.task import LabelTask


def plain(label: Any) -> str:
    """Return a label's text: blanks around it left out, 1.0 as 1."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return " ".join(str(label).split())


def class_of(label: Any, task: LabelTask) -> str:
    """Return the name of the class that ``label`` means.

    Numbers, booleans, blanks around the name and another case are understood.

    Raises
    ------
    InputError
        When it is none of the classes.
    """
    said = plain(label)
    names = {plain(name): name for name in task.class_names}
    if said in names:
        return names[said]
    folded = {each.casefold(): name for each, name in names.items()}
    if said.casefold() in folded:
        return folded[said.casefold()]
    raise InputError(
        "A gold label is none of the classes.",
        given=said or "a blank label",
        allowed=", ".join(task.class_names),
        next_step="add the class to the task, or correct the label",
    )
