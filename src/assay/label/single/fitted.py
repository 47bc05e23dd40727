"""Annotators for one class a row, with what gold taught about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.label.spec import Answers, Checked, Gold, LabelSettings, Step
from assay.label.task import LabelTask
from assay.llm import Gateway, Prompt

Shares = NDArray[np.float64]
SHARPNESS = 20.0


@dataclass(frozen=True, eq=False)
class FittedSingle:
    """Annotators whose weights are known; see :class:`assay.label.kinds.Fitted`."""

    task: LabelTask
    settings: LabelSettings
    prior: Shares
    checked: Checked | None
    steps: tuple[Step, ...]

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows."""
        votes, why = collect(texts, self.task, gateway, self.settings)
        shares = combined(votes, self.prior)
        names = self.task.class_names
        found = np.asarray(np.isfinite(shares).all(axis=1))
        best = np.nan_to_num(shares).argmax(axis=1)
        labels = [names[best[row]] if found[row] else None for row in range(len(texts))]
        return Answers(labels, shares.max(axis=1), why, votes)


def fit_single(
    texts: Sequence[str],
    gold: Gold | None,
    task: LabelTask,
    gateway: Gateway,
    settings: LabelSettings,
) -> FittedSingle:
    """Learn from unlabelled texts what each annotator says too often."""
    votes, _ = collect(texts, task, gateway, settings)
    prior = np.nanmean(votes["model"], axis=0)
    steps = (Step("model", True, "asked without examples"), Step("similarity", True, "always"))
    return FittedSingle(task, settings, prior, None, steps)


def collect(
    texts: Sequence[str], task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> tuple[dict[str, Shares], dict[int, str]]:
    """Return the votes of annotators that read no label, and why rows have none."""
    listed = "\n".join(f"- {each.words}" for each in task.classes)
    told = f"Say which category the text belongs to.\nCategories:\n{listed}"
    asked = gateway.choose(
        settings.models[0],
        [Prompt(instructions=told, text=text) for text in texts],
        [each.words for each in task.classes],
        max_text_tokens=settings.max_text_tokens,
    )
    rows = gateway.embed(settings.embed, texts)
    classes = gateway.embed(settings.embed, [each.words for each in task.classes])
    scores = SHARPNESS * (rows @ classes.T).astype(np.float64)
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    similar = scores / scores.sum(axis=1, keepdims=True)
    return {"model": asked.probabilities, "similarity": similar}, dict(asked.why)


def combined(votes: dict[str, Shares], prior: Shares) -> Shares:
    """Return the product of the votes, the model's divided by what it says too often."""
    scores = np.log(votes["model"] / prior) + np.log(votes["similarity"])
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))
