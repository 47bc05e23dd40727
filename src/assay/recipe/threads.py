"""Linear algebra on one thread, for fits that are many and small."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any


def one_blas_thread() -> AbstractContextManager[Any]:
    """Keep the linear algebra inside the block on one thread.

    Threads of a small fit wait on each other for most of the time (7.1 s against 1.0 s for one
    fit of the demo on 2 busy cores).
    """
    limited: AbstractContextManager[Any] = _libraries(len(sys.modules)).limit(
        limits=1, user_api="blas"
    )
    return limited


@lru_cache(maxsize=1)
def _libraries(modules: int) -> Any:
    """Look up the libraries that have threads, which takes as long as a tenth of a small fit.

    Parameters
    ----------
    modules
        How many are loaded; with others, other libraries may be.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
