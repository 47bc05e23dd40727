"""The kind of task with one class for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assay.label.kinds import Fitted
from assay.label.naming import class_of
from assay.label.single.fit import fit_single
from assay.label.spec import Gold, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway


class SingleLabel:
    """One class for each row."""

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> Fitted:
        """Learn how much each annotator counts."""
        return fit_single(texts, gold, task, gateway, settings)

    def check(self, label: Any, task: LabelTask) -> str:
        """Return a gold label's class name."""
        return class_of(label, task)
