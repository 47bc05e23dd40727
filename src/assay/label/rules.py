"""The user's own rules as annotators: ``@assay.vote``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.label.task import LabelTask

Voting = Callable[[str], Any]
SURE = 0.9
"""Probability that a rule's one class gets before gold says how good the rule is."""


@dataclass(frozen=True)
class Rule:
    """A function from a row's text to a class, ``{class: probability}``, or None to abstain."""

    function: Voting
    name: str

    def __call__(self, text: str) -> Any:
        """Apply the function."""
        return self.function(text)

    def votes(self, texts: Sequence[str], task: LabelTask) -> NDArray[np.float64]:
        """Return (n, k) log-probabilities less their mean; 0 where the rule abstains.

        Raises
        ------
        InputError
            When the rule fails, or answers with what is no class or no probability.
        """
        found = np.zeros((len(texts), len(task.classes)))
        position = {name: code for code, name in enumerate(task.class_names)}
        for row, text in enumerate(texts):
            said = self._said(text, row)
            if said is None:
                continue
            shares = dict(said) if isinstance(said, Mapping) else {str(said): SURE}
            unknown = set(shares) - set(position)
            if unknown:
                raise InputError(
                    f"The rule {self.name} answered with what is no class.",
                    given=min(map(str, unknown)),
                    allowed=", ".join(task.class_names),
                )
            unfit = [each for each in shares.values() if not _is_share(each)]
            if unfit:
                raise InputError(
                    f"The rule {self.name} gave a class what is no probability.",
                    given=unfit[0],
                    allowed="numbers from 0 to 1",
                )
            found[row] = _scores({position[name]: share for name, share in shares.items()},
                                 len(position))  # fmt: skip
        return found

    def _said(self, text: str, row: int) -> Any:
        try:
            return self.function(text)
        except Exception as error:
            raise InputError(
                f"The rule {self.name} failed at text {row + 1}: {type(error).__name__}.",
                next_step="let it return None where it has nothing to say",
            ) from error


def vote(function: Voting) -> Rule:
    """Make a function an annotator: it returns a class, or None where it has nothing to say.

    >>> @vote
    ... def mentions_refund(text):
    ...     return "refund" if "money back" in text else None
    >>> mentions_refund("I want my money back")
    'refund'
    """
    return Rule(function, getattr(function, "__name__", "rule"))


def _is_share(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1  # not a number lies nowhere


def _scores(shares: Mapping[int, float], classes: int) -> NDArray[np.float64]:
    rest = max(0.0, 1.0 - sum(shares.values())) / max(1, classes - len(shares))
    full = np.full(classes, max(rest, 1e-3))
    for code, share in shares.items():
        full[code] = min(max(float(share), 1e-3), 1 - 1e-3)
    scores = np.log(full)
    return np.asarray(scores - scores.mean())
