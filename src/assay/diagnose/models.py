"""A model at hand: anything with ``predict``, or a callable of rows."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, Ask, as_names
from assay.diagnose.case import Case
from assay.diagnose.reading import answer, handed_over
from assay.diagnose.said import Said
from assay.errors import InputError, MissingExtraError, shorten
from assay.task import Task

MLFLOW = ("models:/", "runs:/")


def asked(
    model: Any,
    rows: pl.DataFrame,
    task: Task,
    columns: tuple[str, ...],
    *,
    stated: bool = True,
) -> Said:
    """Return what a model says of rows.

    An object with ``predict`` is given a frame, or texts (:mod:`assay.diagnose.reading`); where it
    has ``classes_`` and ``predict_proba``, these give the probabilities. A PyTorch module is given
    one float32 tensor (n, d), a gap as NaN; it returns (n, k) logits in the order of the sorted
    classes or, of two, (n,) those of the second, and of a regression (n,) values. A callable is
    given the rows themselves as a Polars table and returns (n,) predictions or (n, k)
    probabilities in the order of the sorted classes.

    Parameters
    ----------
    columns
        What it reads, by :func:`assay.diagnose.reading.columns_read`.
    stated
        Whether probabilities are wanted, of what predicts without them too.

    Raises
    ------
    InputError
        When it is neither, it fails, or what it says does not fit the rows.
    """
    if _is_torch(model) or not hasattr(model, "predict"):
        found = _called(model, rows, task, columns)
        if found.ndim == 2:
            return Said(shares=_one_each(found, rows.height).astype(np.float64))
        return Said(_as_values(found, rows.height))
    given = handed_over(model, rows, task, columns)
    values = _as_values(answer(lambda: model.predict(given), columns), rows.height)
    names = getattr(model, "classes_", None)
    if names is None:
        return Said(values)
    known = tuple(as_names(pl.Series(np.asarray(names).tolist())))
    if not stated or not hasattr(model, "predict_proba"):
        return Said(values, names=known)
    shares = answer(lambda: model.predict_proba(given), columns)
    return Said(values, _one_each(shares, rows.height).astype(np.float64), known)


def _as_values(found: np.ndarray, n: int) -> pl.Series:
    if found.ndim != 1:
        raise InputError("The model must give one prediction a row.", given=f"shape {found.shape}")
    return pl.Series(_one_each(found, n).tolist())


def _one_each(found: np.ndarray, n: int) -> np.ndarray:
    if len(found) != n:
        raise InputError(
            "The model must answer each row once.", given=f"{len(found)} answers to {n} rows"
        )
    return found


def imported_model(path: str) -> Any:
    """Return the model that ``package.module:NAME`` names; importing it runs that module.

    ``models:/NAME/VERSION`` and ``runs:/RUN/PATH`` name a model of an MLflow registry or run, which
    MLflow loads: that runs what it holds.

    Raises
    ------
    InputError
        When there is no such module or name. Pickles are never opened.
    MissingExtraError
        When MLflow is wanted and not installed.
    """
    if path.startswith(MLFLOW):
        return _of_mlflow(path)
    module, _, name = path.partition(":")
    if not name or module.endswith((".pkl", ".joblib", ".pickle")):
        raise InputError(
            "--model names a model that can be imported.",
            given=path,
            allowed="package.module:NAME, models:/NAME/VERSION or runs:/RUN/PATH",
            next_step="write a module that makes the model; files that run code are not opened",
        )
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # the module is the user's own code
        what = shorten(f"{type(error).__name__}: {error}").rstrip(".")
        raise InputError(
            f"The model cannot be imported: {what}.",
            given=path,
            allowed="package.module:NAME, found from the folder that this is run in",
            next_step=f"see that python -c 'import {module}' works there",
        ) from error


def _of_mlflow(path: str) -> Any:
    try:
        from mlflow import pyfunc
    except ImportError as error:
        raise MissingExtraError("A model of MLflow", "mlflow") from error
    try:
        return pyfunc.load_model(path)
    except Exception as error:
        raise InputError(
            f"MLflow cannot load the model: {error}.",
            given=path,
            next_step="see that MLFLOW_TRACKING_URI names the server that has it",
        ) from error


def _is_torch(model: Any) -> bool:
    torch = sys.modules.get("torch")  # who has a module has imported it
    return torch is not None and isinstance(model, torch.nn.Module)


def _called(model: Any, rows: pl.DataFrame, task: Task, columns: tuple[str, ...]) -> np.ndarray:
    """Return (n,) predictions or (n, k) probabilities of a callable."""
    if not callable(model):
        raise InputError(
            "The model cannot be asked.",
            given=type(model).__name__,
            allowed="an object with predict, or a callable of rows",
        )
    if not _is_torch(model):
        return answer(lambda: model(rows), rows.columns)
    words = [name for name in columns if not rows[name].dtype.is_numeric()]
    if words:
        raise InputError(
            "A PyTorch module is given numbers only.",
            given=", ".join(words),
            next_step="leave these columns out, or wrap it in a callable that takes a Polars table",
        )
    numbers = rows.select(columns).cast(pl.Float32).fill_null(float("nan")).to_numpy()
    said = answer(lambda: _forward(model, numbers.copy()), columns)
    two = said.ndim == 1 and len(task.classes) == 2
    return _as_shares(said) if said.ndim == 2 or two else said


def _forward(model: Any, numbers: np.ndarray) -> np.ndarray:
    import torch

    taught = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return np.asarray(model(torch.from_numpy(numbers)).double().squeeze(-1).numpy())
    finally:
        model.train(taught)


def _as_shares(logits: np.ndarray) -> np.ndarray:
    """Return (n, k) probabilities of (n, k) logits or, of two classes, (n,) those of the second."""
    if logits.ndim == 1:
        logits = np.stack([np.zeros_like(logits), logits], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def case_answers(case: Case) -> Ask | None:
    """Return what the case's own model says of rows; None where it is not at hand."""
    if case.predict is None:
        return None

    def ask(rows: pl.DataFrame) -> Answers:
        return Answers(case.asked(rows), None if case.state is None else case.state(rows))

    return ask
