"""A model at hand: anything with ``predict``, or a callable of rows."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose.answers import Answers, Ask, as_names, checked_shares, said_values, spelt
from assay.diagnose.case import Case
from assay.errors import InputError, MissingExtraError
from assay.task import Task

MLFLOW = ("models:/", "runs:/")


def asked(model: Any, rows: pl.DataFrame, task: Task) -> Answers:
    """Return what a model says of rows.

    An object with ``predict``, which gives the predictions, and ``predict_proba`` with
    ``classes_``, which give the probabilities where it has them, is given the texts of a text task, and the feature columns of a table as a pandas frame (Polars where
    pandas is absent). A PyTorch module is given the feature columns, in the table's order, as one
    float32 tensor (n, d), a gap as NaN; it returns (n, k) logits in the order of the sorted
    classes or, of two, (n,) those of the second, and of a regression (n,) values. A callable is
    given the rows themselves as a Polars table and returns (n,) predictions or (n, k)
    probabilities in the order of the sorted classes.

    Raises
    ------
    InputError
        When it is neither, or what it says does not fit the rows and classes.
    """
    if _is_torch(model):
        said = _of_torch(model, rows, task)
        found, shares = (None, said) if said.ndim == 2 else (said, None)
    elif not hasattr(model, "predict"):
        if not callable(model):
            raise InputError(
                "The model cannot be asked.",
                given=type(model).__name__,
                allowed="an object with predict, or a callable of rows",
            )
        said = np.asarray(model(rows))
        found, shares = (None, said) if said.ndim == 2 else (said, None)
    else:
        given = _inputs(rows, task)
        found, shares = np.asarray(model.predict(given)), _probabilities(model, given, task)
    if shares is not None:
        shares = checked_shares(np.asarray(shares, np.float64), rows.height, task)
    if found is None:
        assert shares is not None  # noqa: S101
        return Answers.of(shares, task)
    if found.shape != (rows.height,):
        raise InputError("The model must give one prediction a row.", given=f"shape {found.shape}")
    return Answers(said_values(pl.Series(found.tolist()), task), shares)


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
    except (ImportError, AttributeError) as error:
        raise InputError(f"The model cannot be imported: {error}.", given=path) from error


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


def _of_torch(model: Any, rows: pl.DataFrame, task: Task) -> np.ndarray:
    """Return (n, k) probabilities, or (n,) values of a regression."""
    import torch

    words = [name for name in task.features if not rows[name].dtype.is_numeric()]
    if words or task.text is not None:
        raise InputError(
            "A PyTorch module is given numbers only.",
            given=", ".join([*words, *([task.text] if task.text else [])]),
            next_step="wrap it in a callable that takes a Polars table",
        )
    numbers = rows.select(task.features).cast(pl.Float32).fill_null(float("nan")).to_numpy()
    taught = model.training
    model.eval()
    try:
        with torch.inference_mode():
            said = model(torch.from_numpy(numbers.copy())).double().squeeze(-1).numpy()
    finally:
        model.train(taught)
    if task.kind == "regression":
        return np.asarray(said)
    if said.ndim == 1:
        said = np.stack([np.zeros_like(said), said], axis=1)
    powers = np.exp(said - said.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _inputs(rows: pl.DataFrame, task: Task) -> Any:
    if task.text is not None:
        return rows[task.text].cast(pl.String).fill_null("").to_list()
    features = rows.select(task.features)
    if find_spec("pandas") is not None and find_spec("pyarrow") is not None:
        return features.to_pandas()
    return features


def _probabilities(model: Any, given: Any, task: Task) -> Any:
    if task.kind == "regression" or not hasattr(model, "predict_proba"):
        return None
    if not hasattr(model, "classes_"):
        return None
    raw = np.asarray(model.predict_proba(given), dtype=np.float64)
    named = as_names(pl.Series(np.asarray(model.classes_).tolist()))
    place = {name: code for code, name in enumerate(spelt(named, task.class_names))}
    unknown = sorted(set(place) - set(task.class_names))
    if unknown:
        raise InputError(
            "The model knows classes that the true values do not hold.",
            given=", ".join(unknown[:5]),
            allowed=", ".join(task.class_names[:20]),
        )
    shares = np.zeros((len(raw), len(task.classes)))
    for code, name in enumerate(task.class_names):
        if name in place:
            shares[:, code] = raw[:, place[name]]
    return shares


def case_answers(case: Case) -> Ask | None:
    """Return what the case's own model says of rows; None where it is not at hand."""
    if case.predict is None:
        return None

    def ask(rows: pl.DataFrame) -> Answers:
        return Answers(case.asked(rows), None if case.state is None else case.state(rows))

    return ask
