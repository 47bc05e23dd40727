"""What each kind of labelling task offers, so that all else is written once."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

from assay.errors import InputError
from assay.label.spec import Answers, Checked, Gold, LabelSettings, Step
from assay.label.task import LabelTask
from assay.llm import Gateway


class Fitted(Protocol):
    """Annotators whose weights are known. It can be pickled, and answers rows in any portions."""

    @property
    def checked(self) -> Checked | None:
        """How the gold rows fared, held out; None without gold."""
        ...

    @property
    def steps(self) -> tuple[Step, ...]:
        """What ran and what each added."""
        ...

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows; one row's answer does not depend on the others beside it."""
        ...


class Kind(Protocol):
    """How rows of one kind of task are labelled."""

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> Fitted:
        """Learn from unlabelled ``texts`` and from gold how much each annotator counts."""
        ...

    def check(self, label: Any, task: LabelTask) -> Any:
        """Return a gold label as the kind stores it; raise InputError where it cannot be one."""
        ...


HOMES = {
    "single": ("assay.label.single", "SingleLabel"),
    "multi": ("assay.label.multi", "MultiLabel"),
    "ordinal": ("assay.label.ordinal", "OrdinalLabel"),
    "extract": ("assay.label.extract", "Extraction"),
    "match": ("assay.label.match", "PairMatch"),
}


def kind_of(task: LabelTask) -> Kind:
    """Return the kind's implementation."""
    if task.kind not in HOMES:
        raise InputError("This kind of labelling task is not known.",
                         given=task.kind, allowed=", ".join(HOMES))  # fmt: skip
    module, name = HOMES[task.kind]
    kind: Kind = getattr(import_module(module), name)()
    return kind
