"""Telling what will be asked of models elsewhere first, and afterwards how far that was off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from assay.improve.events import Estimated, Listener, Settled
from assay.ledger import Ledger
from assay.ledger.spending import spending
from assay.llm.forecast import Forecast, spent_between
from assay.project import Project
from assay.project.leaving import named_models

HERE = ("local", "scripted")
"""Providers that ask nothing over a network."""


def asks_elsewhere(project: Project) -> bool:
    """Whether the settings or the recipe name a model that is asked over a network."""
    return any(is_elsewhere(name) for name in named_models(project))


@contextmanager
def accounted(
    ledger: Ledger, forecast: Forecast | None, tell: Listener, *, run: str | None = None
) -> Iterator[None]:
    """Tell and record a forecast and, once the block has ended well, how far it was off.

    Parameters
    ----------
    forecast
        What will be asked; None where nothing needs to be told.
    run
        The run whose calls count; by default every call of the ledger.
    """
    if forecast is None:
        yield
        return
    ledger.record("event", forecast.as_dict(), run=run, key=f"estimate:{run}")
    tell(Estimated(forecast))
    before = spending(ledger, "model", run=run)
    yield
    spent = spent_between(before, spending(ledger, "model", run=run))
    errors = tuple(each for each in forecast.errors(spent) if is_elsewhere(each.model))
    body = {"models": [each.as_dict() for each in errors]}
    ledger.record("event", body, run=run, key=f"estimate_error:{run}")
    tell(Settled(errors))


def is_elsewhere(model: str) -> bool:
    """Whether ``provider:model`` is asked over a network."""
    return model.partition(":")[0] not in HERE
