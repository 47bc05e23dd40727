"""The kind of task with any number of classes for each row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.label.asking import Asker
from assay.label.learning import FromVotes, learn
from assay.label.multi.votes import collect
from assay.label.naming import class_of
from assay.label.spec import Answers, Gold, LabelSettings
from assay.label.task import LabelTask
from assay.label.voting import Floats
from assay.llm import Gateway

SEPARATORS = (";", "|")
"""What may stand between class names where a file holds them in one cell."""


@dataclass(frozen=True)
class ClassSets:
    """Sets of classes, each class a question of its own.

    Attributes
    ----------
    names
        The k classes.
    """

    names: tuple[str, ...]
    alike: bool = False

    def decide(self, chances: Floats) -> tuple[list[Any], Floats]:
        """Return the classes that are likelier than not, and how likely the whole set is."""
        held = chances > 0.5
        labels = [[name for name, yes in zip(self.names, row, strict=True) if yes] for row in held]
        return labels, np.asarray(np.maximum(chances, 1 - chances).prod(axis=1))

    def truth(self, labels: list[Any]) -> NDArray[np.bool_]:
        """Return which classes each label holds, (m, k)."""
        found = [[name in label for name in self.names] for label in labels]
        return np.array(found, dtype=np.bool_).reshape(len(labels), len(self.names))

    def by_class(self, chances: Floats) -> Floats:
        """Return the chances: each class is a question."""
        return chances


@dataclass(frozen=True, eq=False)
class FittedMulti(FromVotes):
    """Annotators whose weights are known; a gold row is right where its whole set is."""

    task: LabelTask
    settings: LabelSettings

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows; ``votes["chances"]`` is the probability of each class."""
        asker = Asker(self.task, gateway, self.settings)
        return self.learned.answers(collect(texts, asker), asker.cut_flags(texts))


class MultiLabel:
    """Any number of classes for each row, none included; labels are lists in class order."""

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> FittedMulti:
        """Learn each class's prior and how much each annotator counts."""
        asker = Asker(task, gateway, settings)
        checked = None if gold is None else collect(gold.texts, asker)
        shape = ClassSets(task.class_names)
        learned = learn(shape, collect(texts, asker), checked, gold, settings)
        return FittedMulti(learned, task, settings)

    def check(self, label: Any, task: LabelTask) -> list[str]:
        """Return a gold label as a list of class names in the task's order.

        Several names in one text are separated by ``;`` or ``|``; a list may be JSON.
        """
        found = {class_of(each, task) for each in _named(label)}
        return [name for name in task.class_names if name in found]


def _named(label: Any) -> Iterable[Any]:
    if isinstance(label, str):
        return _in_text(label)
    if isinstance(label, Iterable):
        return label
    return [label]


def _in_text(label: str) -> Iterable[Any]:
    if label.strip().startswith("["):
        import json

        try:
            return list(json.loads(label))
        except ValueError as error:
            raise InputError("A gold label is no list of classes.", given=label) from error
    for separator in SEPARATORS:
        if separator in label:
            return [part for part in label.split(separator) if part.strip()]
    return [label]
