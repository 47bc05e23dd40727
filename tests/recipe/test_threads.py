from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from assay.recipe.threads import one_blas_thread


def threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_inside_there_is_one_thread_and_afterwards_what_there_was() -> None:
    assert np.linalg.norm(np.eye(2)) > 1
    with threadpool_limits(2, user_api="blas"):
        for _ in range(2):
            with one_blas_thread():
                assert threads() == {1}
            assert threads() == {2}


def test_a_library_loaded_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []

    class Counted(ThreadpoolController):
        def __init__(self) -> None:
            looked.append(self)
            super().__init__()

    monkeypatch.setattr("threadpoolctl.ThreadpoolController", Counted)
    for name in ("made_up", "made_up", "another"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        with one_blas_thread():
            pass
    assert len(looked) == 2
