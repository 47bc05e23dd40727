"""Several yes/no questions about each row, put together from the same kinds of vote.

The classes of a multi-label task, the thresholds of an ordered one ("above this level?") and a
pair's one question are all of this shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.label.voting import Floats, Logistic, Ridge, fit_logistic, fit_ridge, folds, share

LEAST_FOR_RIDGE = 20
"""Checked rows from which on vectors vote too."""
EM_STEPS = 100


@dataclass(frozen=True, eq=False)
class Scale:
    """What an annotator says in the middle, and how widely its votes spread, by question.

    Dividing by what a model says on average is batch calibration (Zhou et al. 2024); medians
    hold even where some rows try to sway it. Few rows count for little.
    """

    middle: Floats
    spread: Floats

    @classmethod
    def of(cls, votes: Floats, ruled: int = 0) -> Scale:
        """Return the scale of (n, k, d) votes; rows without a vote are left out.

        The last ``ruled`` annotators stay as they are.
        """
        known = votes[np.isfinite(votes).all(axis=(1, 2))]
        n, heard = len(known), votes.shape[2] - ruled
        if n == 0:
            return cls(np.zeros(votes.shape[1:]), np.ones(votes.shape[1:]))
        middle = np.median(known, axis=0) * (n / (n + 10))
        spread = 1.4826 * np.median(np.abs(known - middle), axis=0)
        spread = np.sqrt((n * spread**2 + 10) / (n + 10))
        middle[:, heard:], spread[:, heard:] = 0.0, 1.0
        return cls(middle, spread)

    def __call__(self, votes: Floats) -> Floats:
        """Return votes around 0 of about unit spread."""
        return np.asarray((votes - self.middle) / self.spread)


@dataclass(frozen=True, eq=False)
class Questions:
    """k yes/no questions with what was learned about their votes.

    Attributes
    ----------
    models
        How the votes on each question are put together.
    ridge
        Turns a row's vector into one more vote on each question, where gold allows it.
    """

    models: tuple[Logistic, ...]
    ridge: Ridge | None

    def __call__(self, votes: Floats, vectors: Floats) -> Floats:
        """Return (n, k) probabilities of yes.

        Parameters
        ----------
        votes
            (n, k, d), about 0 where an annotator does not know.
        vectors
            (n, dim).
        """
        votes = self._with_vectors(votes, vectors)
        scores = [model.scores(votes[:, j]) for j, model in enumerate(self.models)]
        return share(np.stack(scores, axis=1))

    def alone(self, votes: Floats, vectors: Floats, ruled: int, *, alike: bool) -> Floats:
        """Return (n, k, d) probabilities of yes, were all to say what each annotator says.

        Vectors come last, where they vote. The user's rules, which are the last ``ruled`` of the
        votes, mean what they say, NaN where they abstain: from all questions at once, if these
        are ``alike``.
        """
        heard = votes.shape[2] - ruled
        rules = votes[:, :, heard:]
        votes = self._with_vectors(votes, vectors)
        free = np.ones(votes.shape[2], dtype=np.bool_)
        free[heard : heard + ruled] = False
        slopes = np.array([model.weights[free].sum() for model in self.models])
        biases = np.array([model.bias for model in self.models])
        found = share(slopes[:, None] * votes + biases[:, None])
        silent = rules == 0
        silent = silent.all(axis=1, keepdims=True) if alike else silent
        found[:, :, ~free] = np.where(silent, np.nan, share(rules))
        return found

    def _with_vectors(self, votes: Floats, vectors: Floats) -> Floats:
        return votes if self.ridge is None else _beside(votes, self.ridge(vectors))


def untaught(votes: Floats) -> tuple[Logistic, ...]:
    """Return a model for each question from unlabelled votes alone, (n, k, d)."""
    return tuple(_of_mixture(votes[:, j]) for j in range(votes.shape[1]))


def taught(
    votes: Floats,
    vectors: Floats,
    truth: NDArray[np.bool_],
    centre: Sequence[Logistic],
    *,
    weights: Floats | None = None,
    alike: bool = False,
    with_vectors: bool = True,
) -> Questions:
    """Return the questions as gold teaches them.

    Votes count about equally on every question, so each question's weights are drawn towards
    the weights of all questions together, and those towards ``centre``.

    Parameters
    ----------
    votes, vectors, truth
        (m, k, d), (m, dim) and (m, k) of the gold rows.
    centre
        The models without gold.
    alike
        Whether all questions share their weights, as the thresholds of ordered classes do.
    with_vectors
        Whether a row's vector may vote.
    """
    ridge = None
    if with_vectors and len(truth) >= LEAST_FOR_RIDGE:
        ridge, left_out = fit_ridge(vectors, truth.astype(np.float64))
        votes = _beside(votes, left_out)
    k = truth.shape[1]
    mean = np.mean([each.weights for each in centre], axis=0)
    start = Logistic(np.append(mean, 0.5) if ridge is not None else mean, 0.0)
    biases = _biases(truth, weights)
    together = _pooled(votes, truth, start, biases, weights)
    models = []
    for j in range(k):
        around = Logistic(together.weights, float(biases[j]) + together.bias)
        firm = 1e6 if alike else 4.0
        models.append(fit_logistic(votes[:, j], truth[:, j], around, weights=weights,
                                   strength=firm, bias_strength=0.5))  # fmt: skip
    return Questions(tuple(models), ridge)


def held_out(
    votes: Floats,
    vectors: Floats,
    truth: NDArray[np.bool_],
    centre: Sequence[Logistic],
    *,
    keys: Sequence[Hashable],
    count: int,
    seed: int,
    weights: Floats | None = None,
    alike: bool = False,
    with_vectors: bool = True,
) -> Floats:
    """Return (m, k) probabilities of the gold rows, each from the other folds alone."""
    fold = folds(keys, min(count, len(set(keys))), seed)
    out = np.empty(truth.shape)
    for each in np.unique(fold):
        here = fold == each
        if here.all():
            out[here] = Questions(tuple(centre), None)(votes[here], vectors[here])
            continue
        rest = None if weights is None else weights[~here]
        learned = taught(votes[~here], vectors[~here], truth[~here], centre,
                         weights=rest, alike=alike, with_vectors=with_vectors)  # fmt: skip
        out[here] = learned(votes[here], vectors[here])
    return out


def _beside(votes: Floats, more: Floats) -> Floats:
    return np.concatenate([votes, more[:, :, None]], axis=2)


def _biases(truth: NDArray[np.bool_], weights: Floats | None) -> Floats:
    """Return each question's log-odds of yes in gold, drawn towards those of all questions."""
    counts = np.ones(len(truth)) if weights is None else weights
    whole = (counts @ truth.mean(axis=1) + 0.5) / (counts.sum() + 1)
    shares = (counts @ truth + 2 * whole) / (counts.sum() + 2)
    return np.asarray(np.log(shares / (1 - shares)))


def _pooled(
    votes: Floats,
    truth: NDArray[np.bool_],
    start: Logistic,
    biases: Floats,
    weights: Floats | None,
) -> Logistic:
    """Return weights for all questions at once; each question's own bias is a known vote."""
    m, k, d = votes.shape
    known = np.broadcast_to(biases, (m, k)).reshape(m * k, 1)
    stacked = np.column_stack([votes.reshape(m * k, d), known])
    counts = np.full(m * k, 1 / k) if weights is None else np.repeat(weights, k) / k
    around = Logistic(np.append(start.weights, 1.0), 0.0)
    found = fit_logistic(stacked, truth.reshape(m * k), around, weights=counts, bias_strength=10.0)
    return Logistic(found.weights[:d], found.bias)


def _of_mixture(votes: Floats) -> Logistic:
    """Return the model under which votes come from two normal groups of one spread.

    Expectation-maximisation on the mean vote, from the top quarter of the rows as "yes".
    """
    n, d = votes.shape
    scores = votes.mean(axis=1)
    if n < 10 or float(scores.std()) < 1e-9:
        return Logistic(np.ones(d) / d, 0.0)
    yes = (scores >= np.quantile(scores, 0.75)).astype(np.float64)
    slope, bias = 1.0, 0.0
    for _ in range(EM_STEPS):
        part = float(np.clip(yes.mean(), 0.02, 0.98))
        high, low = float(yes @ scores / yes.sum()), float((1 - yes) @ scores / (1 - yes).sum())
        spread = float((yes @ (scores - high) ** 2 + (1 - yes) @ (scores - low) ** 2) / n)
        slope = min((high - low) / max(spread, 1e-3), 20.0)
        bias = float(np.log(part / (1 - part))) - slope * (high + low) / 2
        before, yes = yes, np.clip(share(slope * scores + bias), 1e-9, 1 - 1e-9)
        if float(np.abs(yes - before).max()) < 1e-6:
            break
    return Logistic(np.full(d, slope / d), bias)
