"""The user's own rules as annotators: ``@assay.vote``."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getsource
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.label.task import LabelTask
from assay.label.voting import log_odds

Voting = Callable[..., Any]
SURE = 0.9
"""Probability that a rule's one class gets before gold says how good the rule is."""
LEAST = 1e-3
"""No rule is surer than this, either way."""


@dataclass(frozen=True)
class Rule:
    """A function from what a row says to a class, ``{class: probability}``, or None to abstain.

    Where a row may have several classes it may return a list of them, and each probability is of
    its class alone; an empty list abstains. Of a pair it is told both sides; True says that they
    match, and False that they do not.
    """

    function: Voting
    name: str

    def __call__(self, *texts: str) -> Any:
        """Apply the function."""
        return self.function(*texts)

    @property
    def called(self) -> str:
        """What its votes are called."""
        return f"rule:{self.name}"

    def votes(self, texts: Sequence[str], task: LabelTask) -> NDArray[np.float64]:
        """Return (n, k) log-probabilities less their mean; 0 where the rule abstains.

        Raises
        ------
        InputError
            When the rule fails, or answers with what is no class or no probability.
        """
        found = np.zeros((len(texts), len(task.classes)))
        for row, text in enumerate(texts):
            shares = self._shares(self._said(row, text), task)
            if shares:
                found[row] = _scores(shares, len(task.classes))
        return found

    def holds(self, texts: Sequence[str], task: LabelTask) -> NDArray[np.float64]:
        """Return the (n, k) log-odds that a row has a class; 0 where the rule says nothing of it.

        Raises
        ------
        InputError
            As for :meth:`votes`.
        """
        found = np.full((len(texts), len(task.classes)), np.nan)
        for row, text in enumerate(texts):
            for code, share in self._shares(self._said(row, text), task, several=True).items():
                found[row, code] = share
        return np.nan_to_num(log_odds(_inside(found)))

    def matches(self, pairs: Sequence[tuple[str, str]], task: LabelTask) -> NDArray[np.float64]:
        """Return the (n,) log-odds that two sides match; 0 where the rule abstains.

        Raises
        ------
        InputError
            As for :meth:`votes`.
        """
        found = np.full(len(pairs), np.nan)
        for row, pair in enumerate(pairs):
            said = self._said(row, *pair)
            if isinstance(said, bool | np.bool_):
                said = task.class_names[int(said)]
            shares = self._shares(said, task)
            if shares:
                yes = shares.get(1, 1 - shares.get(0, 0.0))
                no = shares.get(0, 1 - yes)
                found[row] = yes / (yes + no) if yes + no else 0.5
        return np.nan_to_num(log_odds(_inside(found)))

    @property
    def written(self) -> str:
        """What tells this rule from another: its name, and its source where that can be read."""
        try:
            return f"{self.name}: {getsource(self.function)}"
        except (OSError, TypeError):
            return self.name

    def __reduce__(self) -> tuple[Callable[[bytes, str], Rule], tuple[bytes, str]]:
        """Pickle by value: the name of a decorated function is that of the rule."""
        import cloudpickle

        return _unpickled, (cloudpickle.dumps(self.function), self.name)

    def _shares(self, said: Any, task: LabelTask, *, several: bool = False) -> dict[int, float]:
        """Return the probability of each class that the rule speaks of, by position."""
        if said is None:
            return {}
        named = said if several and isinstance(said, list | tuple | set | frozenset) else [said]
        shares = said if isinstance(said, Mapping) else {str(each): SURE for each in named}
        position = {name: code for code, name in enumerate(task.class_names)}
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
        return {position[name]: float(share) for name, share in shares.items()}

    def _said(self, row: int, *texts: str) -> Any:
        try:
            return self.function(*texts)
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

    Of a pair it is told both sides:

    >>> @vote
    ... def same_number(left, right):
    ...     return True if left.split()[-1] == right.split()[-1] else None
    >>> same_number("Main Street 12", "Main St. 12")
    True
    """
    return Rule(function, getattr(function, "__name__", "rule"))


def _unpickled(function: bytes, name: str) -> Rule:
    return Rule(pickle.loads(function), name)  # noqa: S301 - as safe as the pickle that names this


def _is_share(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1  # not a number lies nowhere


def _inside(shares: Any) -> NDArray[np.float64]:
    return np.asarray(np.clip(shares, LEAST, 1 - LEAST))


def _scores(shares: Mapping[int, float], classes: int) -> NDArray[np.float64]:
    rest = max(0.0, 1.0 - sum(shares.values())) / max(1, classes - len(shares))
    full = np.full(classes, max(rest, LEAST))
    for code, share in shares.items():
        full[code] = _inside(share)
    scores = np.log(full)
    return np.asarray(scores - scores.mean())
