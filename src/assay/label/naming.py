"""Which class a label means, however it was written."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.label.task import LabelTask


def plain(label: Any) -> str:
    """Return a label's text: blanks around it left out, 1.0 as 1."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return " ".join(str(label).split())


def looks(name: str) -> str:
    """Return what a reader sees of a name.

    Case, blanks, hidden characters and the ways to write an accented letter do not count.
    """
    seen = "".join(
        each for each in unicodedata.normalize("NFC", name) if unicodedata.category(each) != "Cf"
    )
    return " ".join(seen.split()).casefold()


def class_of(label: Any, task: LabelTask) -> str:
    """Return the name of the class that ``label`` means.

    Numbers, booleans, blanks around the name, another case and other ways to write an accent are
    understood.

    Raises
    ------
    InputError
        When it is none of the classes.
    """
    said = plain(label)
    names = {plain(name): name for name in task.class_names}
    if said in names:
        return names[said]
    alike = {looks(name): name for name in task.class_names}
    if looks(said) in alike:
        return alike[looks(said)]
    raise InputError(
        "A gold label is none of the classes.",
        given=said or "a blank label",
        allowed=", ".join(task.class_names),
        next_step="add the class to the task, or correct the label",
    )
