"""The switch that forbids real model calls, for tests and for dry runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from assay.errors import ModelError

VARIABLE = "ASSAY_NO_REAL_MODELS"
_forbidden: ContextVar[bool] = ContextVar("assay_real_calls_forbidden", default=False)


def real_calls_allowed() -> bool:
    """Return whether a real language model may be loaded or called here.

    They may not where the environment variable ``ASSAY_NO_REAL_MODELS`` is set to anything
    but ``0`` or nothing, nor inside :func:`forbid_real_calls`.
    """
    return os.environ.get(VARIABLE, "") in ("", "0") and not _forbidden.get()


@contextmanager
def forbid_real_calls() -> Iterator[None]:
    """Forbid real model calls inside the block; blocks nest."""
    token = _forbidden.set(True)
    try:
        yield
    finally:
        _forbidden.reset(token)


def require_real_calls(model: str) -> None:
    """Raise where real model calls are forbidden.

    Parameters
    ----------
    model
        Name of the model that was about to be loaded or called.

    Raises
    ------
    ModelError
        When real calls are forbidden.
    """
    if not real_calls_allowed():
        raise ModelError(
            "Real model calls are forbidden here.",
            given=model,
            next_step=f"unset {VARIABLE}, or inject a scripted model",
        )
