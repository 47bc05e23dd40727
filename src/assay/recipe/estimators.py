"""From an import path and parameters to an estimator."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from assay.errors import InputError
from assay.recipe.spec import Estimator


def new_estimator(spec: Estimator, seed: int) -> Any:
    """Return the estimator that ``spec`` names, seeded where it takes a seed.

    Raises
    ------
    InputError
        When the path is no class with ``fit`` and ``predict``, or a parameter is unknown.
    """
    kind = _import_class(spec.path)
    accepted = _accepted(kind)
    unknown = [name for name in spec.parameters if accepted and name not in accepted]
    if unknown:
        raise InputError(
            f"{spec.path} has no parameter {unknown[0]!r}.",
            allowed=", ".join(sorted(accepted)),
            next_step="mend [estimator.parameters] in recipe.toml",
        )
    parameters = dict(spec.parameters)
    if "random_state" in accepted:
        parameters.setdefault("random_state", seed % 2**32)
    try:
        return kind(**parameters)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{spec.path} refuses its parameters: {error}.", given=spec.parameters
        ) from error


def accepted_parameters(spec: Estimator) -> frozenset[str]:
    """Return the names of the parameters that the estimator takes; raises as its making does."""
    return frozenset(inspect.signature(type(new_estimator(spec, 0))).parameters)


def _import_class(path: str) -> Any:
    module_name, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"The estimator cannot be imported: {error}.",
            given=path,
            allowed="an import path such as sklearn.linear_model.LogisticRegression",
            next_step="mend the path, install its package, or name its folder in PYTHONPATH",
        ) from error
    if not (inspect.isclass(found) and hasattr(found, "fit") and hasattr(found, "predict")):
        raise InputError(
            "The estimator is not a class with fit and predict.",
            given=path,
            next_step="name a class that has both",
        )
    return found


def _accepted(kind: Any) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters):
        return set()
    return {each.name for each in parameters}
