"""Shared by every test: a cache of its own, and no real model call unless a test asks."""

from __future__ import annotations

import pytest
from hypothesis import settings

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
