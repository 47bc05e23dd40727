"""How annotators are asked, whatever the kind of task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.label.reading import CUT
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.label.voting import Floats, log_odds
from assay.llm import Gateway, Prompt

YES, NO = "yes", "no"


def told(task: LabelTask, question: str, *more: str) -> str:
    """Return instructions: the question, the guidelines, and whatever else is told."""
    return "\n".join(filter(None, [question, task.guidelines, *more]))


def ask_yes_no(
    texts: Sequence[str], instructions: str, gateway: Gateway, settings: LabelSettings
) -> tuple[Floats, dict[int, str]]:
    """Return the log-odds of yes, (n,), NaN and a reason where there is no answer."""
    asked = gateway.choose(
        settings.models[0],
        [Prompt(instructions, text) for text in texts],
        [YES, NO],
        max_text_tokens=settings.max_text_tokens,
    )
    return log_odds(asked.probabilities[:, 0]), dict(asked.why)


def ask_which(
    texts: Sequence[str],
    instructions: str,
    options: Sequence[str],
    gateway: Gateway,
    settings: LabelSettings,
) -> tuple[Floats, dict[int, str]]:
    """Return the log-probability of each option, (n, k)."""
    asked = gateway.choose(
        settings.models[0],
        [Prompt(instructions, text) for text in texts],
        options,
        max_text_tokens=settings.max_text_tokens,
    )
    return np.log(np.maximum(asked.probabilities, 1e-12)), dict(asked.why)


def embedded(texts: Sequence[str], gateway: Gateway, settings: LabelSettings) -> Floats:
    """Return (n, dim) vectors; (0, 1) where there is no text."""
    if not texts:
        return np.empty((0, 1))
    return np.asarray(gateway.embed(settings.embed, texts), dtype=np.float64)


def cut_flags(
    texts: Sequence[str], gateway: Gateway, settings: LabelSettings, most: int | None = None
) -> dict[int, str]:
    """Return a flag for each text of which the model reads only the two ends.

    Parameters
    ----------
    most
        Most tokens of a text; by default the setting's.
    """
    room = settings.max_text_tokens if most is None else most
    long = [row for row, text in enumerate(texts) if len(text) > room]  # a token has a letter
    prompts = [Prompt("", texts[row]) for row in long]
    cut = gateway.cuts(settings.models[0], prompts, [YES, NO], max_text_tokens=room)
    return {row: CUT for row, each in zip(long, cut, strict=True) if each}
