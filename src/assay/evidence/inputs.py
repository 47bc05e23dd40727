"""Truth and predictions, checked and brought into the one shape the statistics read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from assay.errors import InputError
from assay.evidence.labels import Labels, found_classes, given_classes
from assay.evidence.numbers import (
    Codes,
    Floats,
    Rows,
    as_array,
    finite,
    probabilities,
    row_weights,
)

Reads = Literal["labels", "probabilities", "scores", "values", "raw"]
Fits = dict[str, list[Rows]]


@dataclass(frozen=True)
class Sample:
    """Checked rows: what is true, and every model's predictions fit by fit.

    Attributes
    ----------
    truth
        Class codes (n,) in the order of ``classes``, or target values (n,).
    models
        For each model, for each of its fits, predictions of shape (n,) or (n, k).
    weights
        Row weights (n,) with mean one, or None.
    groups
        Group codes (n,), or None.
    """

    truth: Rows
    models: tuple[tuple[Rows, ...], ...]
    classes: tuple[str, ...]
    weights: Floats | None
    groups: Codes | None

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.truth)


def read_sample(
    truth: Any,
    models: dict[str, Any],
    *,
    reads: Reads,
    classes: Sequence[str] | None = None,
    weights: Any = None,
    groups: Any = None,
) -> Sample:
    """Check and shape what the user gave.

    Parameters
    ----------
    truth
        (n,) labels or values.
    models
        Parameter name to predictions: (n,), (n, k), (fits, n), (fits, n, k) or a list of fits.
    reads
        What the metric reads from a prediction.

    Raises
    ------
    InputError
        On any row that cannot be judged; the message names the parameter.
    """
    actual = as_array(truth, "truth")
    if actual.ndim != 1:
        raise InputError("truth must have one value a row.", given=f"shape {actual.shape}")
    if len(actual) == 0:
        raise InputError("truth is empty.", next_step="give at least ten rows")
    fits = _fits(models, len(actual))
    values, shaped, known = _READERS[reads](actual, fits, classes)
    return Sample(
        truth=values,
        models=tuple(tuple(each) for each in shaped.values()),
        classes=known,
        weights=row_weights(weights, len(actual)),
        groups=_groups(groups, len(actual)),
    )


def _fits(models: dict[str, Any], n: int) -> Fits:
    fits = {name: _split(given, n, name) for name, given in models.items()}
    if len({len(each) for each in fits.values()}) > 1:
        raise InputError(
            "before and after must hold the same number of fits.",
            given=", ".join(f"{name}: {len(each)}" for name, each in fits.items()),
            next_step="fit both models with the same seeds and folds, and pass both in order",
        )
    return fits


def _split(given: Any, n: int, name: str) -> list[Rows]:
    """Return the fits in ``given``, each with ``n`` rows."""
    several = isinstance(given, list | tuple) and 0 < len(given) != n
    if several and np.ndim(given[0]) > 0:
        fits = [as_array(each, name) for each in given]
    else:
        whole = as_array(given, name)
        stacked = whole.ndim == 3 or (whole.ndim == 2 and len(whole) != n and whole.shape[1] == n)
        fits = list(whole) if stacked else [whole]
    for fit in fits:
        if fit.ndim == 0 or len(fit) != n:
            raise InputError(
                f"truth and {name} must have the same number of rows.",
                given=f"{n} in truth, {len(fit) if fit.ndim else 1} in {name}",
                next_step="join both on a row id so that row i is the same row in each",
            )
    return fits


Shaped = tuple[Rows, Fits, tuple[str, ...]]


def _as_given(truth: Rows, fits: Fits, classes: Sequence[str] | None) -> Shaped:
    return truth, fits, ()


def _values(truth: Rows, fits: Fits, classes: Sequence[str] | None) -> Shaped:
    shaped = {
        name: [finite(_one_column(fit, name), name) for fit in each] for name, each in fits.items()
    }
    return finite(truth, "truth"), shaped, ()


def _labels(truth: Rows, fits: Fits, classes: Sequence[str] | None) -> Shaped:
    """Read labels; of (n, k) probabilities, the likeliest class."""
    actual = Labels(truth, "truth")
    labelled = {
        name: [Labels(fit, name) if fit.ndim == 1 else None for fit in each]
        for name, each in fits.items()
    }
    if classes is None:
        read = [[fit for fit in each if fit is not None] for each in labelled.values()]
        known = found_classes(actual, [each for each in read if each])
    else:
        known = given_classes(classes)
    shaped = {
        name: [
            label.among(known)
            if label is not None
            else np.asarray(probabilities(fit, known, name).argmax(axis=1), dtype=np.int64)
            for label, fit in zip(labelled[name], each, strict=True)
        ]
        for name, each in fits.items()
    }
    return actual.among(known), shaped, known


def _probabilities(truth: Rows, fits: Fits, classes: Sequence[str] | None) -> Shaped:
    actual = Labels(truth, "truth")
    known = tuple(actual.names) if classes is None else given_classes(classes)
    shaped = {
        name: [_one_for_each(fit, known, name) for fit in each] for name, each in fits.items()
    }
    return actual.among(known), shaped, known


def _scores(truth: Rows, fits: Fits, classes: Sequence[str] | None) -> Shaped:
    """Read the score of the second class."""
    actual = Labels(truth, "truth")
    known = tuple(actual.names) if classes is None else given_classes(classes)
    if len(known) != 2:
        raise InputError(
            "this metric needs exactly two classes in truth.",
            given=", ".join(known),
            next_step="choose another metric, such as log_loss, or give more rows",
        )
    shaped = {name: [_second(fit, name) for fit in each] for name, each in fits.items()}
    return actual.among(known), shaped, known


_READERS: dict[Reads, Callable[[Rows, Fits, Sequence[str] | None], Shaped]] = {
    "raw": _as_given,
    "values": _values,
    "labels": _labels,
    "probabilities": _probabilities,
    "scores": _scores,
}


def _one_for_each(fit: Rows, classes: tuple[str, ...], name: str) -> Floats:
    """Return (n, k) probabilities; (n,) are those of the second of two classes."""
    if fit.ndim == 1 and len(classes) == 2:
        positive = finite(fit, name)
        fit = np.column_stack([1 - positive, positive])
    return probabilities(fit, classes, name)


def _second(fit: Rows, name: str) -> Floats:
    if fit.ndim == 2 and fit.shape[1] == 2:
        fit = fit[:, 1]
    return finite(_one_column(fit, name), name)


def _one_column(fit: Rows, name: str) -> Rows:
    if fit.ndim == 2 and fit.shape[1] == 1:
        return np.asarray(fit[:, 0])
    if fit.ndim != 1:
        raise InputError(
            f"{name} must have one value a row.", given=f"shape {fit.shape}", allowed="(n,)"
        )
    return fit


def _groups(given: Any, n: int) -> Codes | None:
    if given is None:
        return None
    groups = as_array(given, "groups")
    if groups.shape != (n,):
        raise InputError("groups must have one value a row.", given=f"shape {groups.shape}")
    read = Labels(groups, "groups")
    if len(read.names) < 2:
        raise InputError(
            "groups must hold at least two groups.",
            given=f"only {read.names[0]}",
            next_step="gather rows from more groups, or leave groups out if rows are independent",
        )
    return read.positions
