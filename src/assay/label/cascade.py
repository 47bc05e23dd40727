"""A cascade: rows that a cheap model leaves open go up to a stronger one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.label.kinds import Fitted
from assay.label.policy import finite, under_policy
from assay.label.spec import PUT_TOGETHER, Answers, Checked, LabelSettings, Stage, Step
from assay.llm import Gateway


@dataclass(frozen=True, eq=False)
class Cascade:
    """Models in the order that they are asked; see :class:`assay.label.kinds.Fitted`.

    Attributes
    ----------
    models, fitted
        The stages that are used.
    threshold
        What a stage leaves at or below it goes up.
    stages
        All stages, those skipped too.
    """

    models: tuple[str, ...]
    fitted: tuple[Fitted, ...]
    threshold: float
    stages: tuple[Stage, ...]

    @property
    def checked(self) -> Checked | None:
        """How the gold rows fare under the whole policy."""
        held = [each.checked for each in self.stages if each.used and each.checked is not None]
        if len(self.models) == 1 or len(held) < len(self.models):
            return self.fitted[0].checked
        return under_policy(held, self.threshold)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of every stage; those after the first name their model."""
        further = [
            replace(step, name=f"{step.name} ({model})")
            for model, fitted in zip(self.models[1:], self.fitted[1:], strict=True)
            for step in fitted.steps
        ]
        return (*self.fitted[0].steps, *further)

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer each row by the first stage that is certain enough, else by the surest."""
        found = self.fitted[0].answer(texts, gateway)
        for model, fitted in zip(self.models[1:], self.fitted[1:], strict=True):
            going = np.flatnonzero(~(finite(found.probability) > self.threshold)).tolist()
            if not going:
                break
            further = fitted.answer([texts[row] for row in going], gateway)
            found = _merged(found, further, going, model)
        return found


def _merged(before: Answers, further: Answers, going: Sequence[int], model: str) -> Answers:
    """Put a stage's answers in the place of less certain ones."""
    labels, probability = list(before.labels), before.probability.copy()
    why, flags = dict(before.why), dict(before.flags)
    least = finite(before.probability)
    surer = [place for place, row in enumerate(going) if further.probability[place] > least[row]]
    for place in surer:
        row = going[place]
        labels[row], probability[row] = further.labels[place], further.probability[place]
        why.pop(row, None)
        flags[row] = _joined(further.flags.get(place), f"answered by {model}")
    votes = dict(before.votes)
    for name, given in further.votes.items():
        if name in PUT_TOGETHER and name in votes:
            votes[name] = votes[name].copy()
            votes[name][[going[place] for place in surer]] = given[surer]
            continue
        votes[f"{name} ({model})"] = np.full((len(labels), given.shape[1]), np.nan)
        votes[f"{name} ({model})"][list(going)] = given
    return Answers(labels, probability, why, votes, flags)


def _joined(*told: str | None) -> str:
    return "; ".join(each for each in told if each)


def in_order(settings: LabelSettings, fitted: Fitted) -> LabelSettings:
    """Return settings that name a cascade's models as they are asked; others stay as they are."""
    if not isinstance(fitted, Cascade):
        return settings
    left_out = [each for each in settings.models if each not in fitted.models]
    return settings.model_copy(update={"models": (*fitted.models, *left_out)})
