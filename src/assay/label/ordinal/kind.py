"""The kind of task with one of several ordered classes for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.label.asking import Asker
from assay.label.learning import FromVotes, learn
from assay.label.naming import class_of
from assay.label.ordinal.votes import above
from assay.label.single.fit import fit_label_free
from assay.label.single.fitted import FittedSingle
from assay.label.spec import Answers, Gold, LabelSettings
from assay.label.task import LabelTask
from assay.label.voting import Floats, Logistic
from assay.llm import Gateway

SLOPE = 2.0
"""How far one spread of the votes moves the log-odds where no gold tells."""


@dataclass(frozen=True)
class Levels:
    """Ordered classes, decided by the median: the answer that is off by least on average.

    Attributes
    ----------
    names
        The k classes, lowest first.
    """

    names: tuple[str, ...]
    alike: bool = True

    def decide(self, chances: Floats) -> tuple[list[Any], Floats]:
        """Return the median level and its probability, from (n, k - 1) chances of lying above."""
        median = (np.minimum.accumulate(chances, axis=1) > 0.5).sum(axis=1)
        probability = self.by_class(chances)[np.arange(len(chances)), median]
        return [self.names[level] for level in median], probability

    def truth(self, labels: list[Any]) -> NDArray[np.bool_]:
        """Return which thresholds each label lies above, (m, k - 1)."""
        level = np.array([self.names.index(label) for label in labels], dtype=np.intp)
        return np.asarray(level[:, None] > np.arange(len(self.names) - 1))

    def by_class(self, chances: Floats) -> Floats:
        """Return the probability of each level, (n, k), from chances of lying above."""
        falling = np.minimum.accumulate(chances, axis=1)
        most, least = np.ones((len(chances), 1)), np.zeros((len(chances), 1))
        return np.asarray(np.hstack([most, falling]) - np.hstack([falling, least]))

    def equally_frequent(self, votes: Floats) -> tuple[Logistic, ...]:
        """Return models without gold, under which all levels are about equally frequent.

        Parameters
        ----------
        votes
            (n, k - 1, d) of unlabelled rows.
        """
        k, d = len(self.names), votes.shape[2]
        scores = votes.mean(axis=2)
        cuts = [
            float(np.quantile(scores[:, j], (j + 1) / k)) if len(scores) > 1 else 0.0
            for j in range(k - 1)
        ]
        return tuple(Logistic(np.full(d, SLOPE / d), -SLOPE * cut) for cut in cuts)


@dataclass(frozen=True, eq=False)
class FittedOrdinal(FromVotes):
    """Annotators whose weights are known; see :class:`assay.label.kinds.Fitted`."""

    voters: FittedSingle

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows; ``votes["chances"]`` is how likely each row lies above each threshold."""
        voters = self.voters
        asker = Asker(voters.task, gateway, voters.settings)
        said = above(voters.votes(texts, gateway), voters.settings.rules)
        return self.learned.answers(said, asker.cut_flags(texts))


class OrdinalLabel:
    """One of several ordered classes for each row.

    Cumulative logits with weights that all thresholds share (proportional odds; McCullagh 1980).
    """

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> FittedOrdinal:
        """Learn where the thresholds lie and how much each annotator counts."""
        checked_texts, rules = [] if gold is None else gold.texts, settings.rules
        voters, said = fit_label_free([*texts, *checked_texts], task, gateway, settings)
        places = np.arange(len(said))
        votes, checked = (above(said.only(some), rules) for some in np.split(places, [len(texts)]))
        shape = Levels(task.class_names)
        learned = learn(shape, votes, None if gold is None else checked, gold, settings,
                        shape.equally_frequent)  # fmt: skip
        return FittedOrdinal(learned, voters)

    def check(self, label: Any, task: LabelTask) -> str:
        """Return a gold label's class name."""
        return class_of(label, task)
