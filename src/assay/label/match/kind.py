"""The kind of task that says whether the two sides of a pair speak of the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.label.asking import SHARPNESS, Asker
from assay.label.learning import FromVotes, Votes, learn
from assay.label.match.likeness import LIKENESS, likeness
from assay.label.naming import class_of, plain
from assay.label.reading import CUT, shortened
from assay.label.rows import SIDES
from assay.label.spec import Answers, Gold, LabelSettings
from assay.label.task import LabelTask
from assay.label.voting import Floats
from assay.llm import Gateway

QUESTION = (
    "Two records follow. Do they speak of the same thing, even if worded differently? "
    "Answer yes or no."
)
LETTERS_A_TOKEN = 4
WORDING = 16
"""Tokens that the headings of the two sides take."""
SPOKEN = {"true": 1, "yes": 1, "1": 1, "false": 0, "no": 0, "0": 0}


@dataclass(frozen=True)
class PairAnswer:
    """One yes/no question; the second class is yes."""

    names: tuple[str, ...]
    alike: bool = False

    def decide(self, chances: Floats) -> tuple[list[Any], Floats]:
        """Return the likelier class and its probability."""
        yes = chances[:, 0]
        return [self.names[int(each > 0.5)] for each in yes], np.maximum(yes, 1 - yes)

    def truth(self, labels: list[Any]) -> NDArray[np.bool_]:
        """Return whether each label is the second class, (m, 1)."""
        return np.array([[label == self.names[1]] for label in labels], dtype=np.bool_)

    def by_class(self, chances: Floats) -> Floats:
        """Return the probability of each of the two classes, (n, 2)."""
        return np.hstack([1 - chances, chances])


def collect(texts: Sequence[str], asker: Asker) -> Votes:
    """Return what each annotator says of each pair; none but a rule minds which side is which.

    A model is asked in both orders, and the mean of its log-odds counts.
    """
    n, whole = len(texts), [_parted(text) for text in texts]
    ruled = {each.called: each.matches(whole, asker.task) for each in asker.settings.rules}
    pairs = [_shortened(pair, asker.settings) for pair in whole]
    both = [_worded(*pair) for pair in pairs] + [_worded(*pair[::-1]) for pair in pairs]
    said: dict[str, Floats] = {}
    why: dict[int, str] = {}
    for each in asker.by_model():
        asked, failed = each.yes_no(both, QUESTION)
        said[each.called("model")] = (asked[:n] + asked[n:]) / 2
        why |= {row % n: reason for row, reason in failed.items()}
    one, other = (asker.embed([pair[side] for pair in pairs]) for side in (0, 1))
    faces = np.array([likeness(*pair) for pair in pairs]).reshape(n, len(LIKENESS))
    said["meaning"] = SHARPNESS * (one * other).sum(axis=1)
    said |= dict(zip(LIKENESS, 10 * faces.T, strict=True))
    said |= ruled
    votes = np.column_stack([*said.values()])
    votes[list(why)] = np.nan
    vectors = np.concatenate([one * other, np.abs(one - other)], axis=1)
    return Votes(votes[:, None, :], vectors, why, tuple(said), len(ruled))


@dataclass(frozen=True, eq=False)
class FittedMatch(FromVotes):
    """Annotators whose weights are known; see :class:`assay.label.kinds.Fitted`."""

    task: LabelTask
    settings: LabelSettings

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer pairs; ``votes["chances"]`` is how likely each is a match."""
        votes = collect(texts, _asker(self.task, gateway, self.settings))
        most = LETTERS_A_TOKEN * self.settings.max_text_tokens
        long = [any(len(side) > most for side in text.split(SIDES)) for text in texts]
        return self.learned.answers(votes, {row: CUT for row, each in enumerate(long) if each})


class PairMatch:
    """Whether the two sides of a pair speak of the same thing."""

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> FittedMatch:
        """Learn how much each kind of likeness counts."""
        asker = _asker(task, gateway, settings)
        checked = None if gold is None else collect(gold.texts, asker)
        shape = PairAnswer(task.class_names)
        learned = learn(shape, collect(texts, asker), checked, gold, settings)
        return FittedMatch(learned, task, settings)

    def check(self, label: Any, task: LabelTask) -> str:
        """Return a gold label's class name; yes, true and 1 mean a match."""
        said = plain(label).casefold()
        if said in SPOKEN and said not in {name.casefold() for name in task.class_names}:
            return task.class_names[SPOKEN[said]]
        return class_of(label, task)


def _asker(task: LabelTask, gateway: Gateway, settings: LabelSettings) -> Asker:
    return Asker(task, gateway, settings, room=2 * settings.max_text_tokens + WORDING)


def _parted(text: str) -> tuple[str, str]:
    left, _, right = text.partition(SIDES)
    return left, right


def _shortened(pair: tuple[str, str], settings: LabelSettings) -> tuple[str, str]:
    most = LETTERS_A_TOKEN * settings.max_text_tokens
    return shortened(pair[0], most), shortened(pair[1], most)


def _worded(first: str, second: str) -> str:
    return f"First record:\n{first}\n\nSecond record:\n{second}"
