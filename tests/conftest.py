"""Shared by every test: a cache of its own, and no real model call unless a test asks."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Tests run side by side, one to a processor, and their tables are small: threads of the numerical
# libraries would wait on each other (one boosted model of 600 rows took 50 times the processor
# time on a busy machine). Processes that tests start inherit it; a library reads it when it loads.
for each in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(each, "1")
os.environ.setdefault("ASSAY_WORKERS", "1")  # processes likewise, unless a test asks for them

# Timing never fails a test.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _real_models_only_where_asked(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.node.get_closest_marker("embedded") is None:
        monkeypatch.setenv("ASSAY_NO_REAL_MODELS", "1")
    else:
        monkeypatch.delenv("ASSAY_NO_REAL_MODELS", raising=False)
