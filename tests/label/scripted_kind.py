"""A kind of task whose annotators have a known quality: what a row says decides who is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.label.spec import Answers, Checked, Gold, LabelSettings, Step
from assay.label.task import LabelTask
from assay.llm import Gateway, Prompt, ScriptedModel

TASK = LabelTask.of(["yes", "no"])


def texts_of(count: int, seed: int) -> list[str]:
    """Rows that say how likely each model is right: ``17 cheap=0.8:0 strong=0.9:1``."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        easy = random.random()
        cheap = 0.9 + 0.09 * easy if easy > 0.5 else 0.45 + 0.3 * easy
        chances = {"cheap": cheap, "strong": 0.86 + 0.13 * easy}
        said = (f"{name}={chance:.3f}:{int(random.random() < chance)}"
                for name, chance in chances.items())  # fmt: skip
        rows.append(f"{seed}-{number} " + " ".join(said))
    return rows


def said(text: str, model: str) -> tuple[float, bool]:
    """Return how likely ``model`` is right on a row, and whether it is. The truth is yes."""
    told = dict(each.split("=") for each in text.split()[1:])[model]
    chance, right = told.split(":")
    return float(chance), right == "1"


def scripted(name: str, **options: Any) -> ScriptedModel:
    def choose(prompt: Prompt, choices: Sequence[str]) -> list[float]:
        chance, right = said(prompt.text, name)
        return [chance, 1 - chance] if right else [1 - chance, chance]

    return ScriptedModel(choose, name=name, **options)


@dataclass(frozen=True, eq=False)
class ScriptedFitted:
    model: str
    checked: Checked | None
    steps: tuple[Step, ...] = (Step("model", True, "scripted"),)
    factor: float = 1.0

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        found = gateway.choose(
            self.model, [Prompt("Is it?", text) for text in texts], ["yes", "no"]
        )
        powers = found.probabilities**self.factor
        shares = powers / powers.sum(axis=1, keepdims=True)
        return Answers(list(found.best), shares.max(axis=1), dict(found.why),
                       {"combined": shares},)  # fmt: skip


class ScriptedKind:
    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> ScriptedFitted:
        fitted = ScriptedFitted(settings.models[0], None)
        fitted.answer(texts, gateway)
        if gold is None:
            return fitted
        answers = fitted.answer(gold.texts, gateway)
        answered = np.flatnonzero(np.isfinite(answers.probability)).tolist()
        gold, labels = gold.only(answered), [answers.labels[row] for row in answered]
        right = np.array([one == two for one, two in zip(labels, gold.labels, strict=True)])
        checked = Checked(gold.rows["row_id"].to_list(), gold.labels, labels,
                          answers.probability[answered], right)  # fmt: skip
        return self.calibrated(ScriptedFitted(settings.models[0], checked), checked)

    def calibrated(self, fitted: ScriptedFitted, checked: Checked) -> ScriptedFitted:
        """Return the annotators with the scores that gold calibrated: here it does not."""
        return fitted

    def check(self, label: Any, task: LabelTask) -> str:
        return str(label)
