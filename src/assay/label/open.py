"""Opens the ledger and the gateway that a labelling works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from assay.config import cache_dir
from assay.label.door import Door
from assay.ledger import Ledger
from assay.llm import Budget, Gateway, Progress
from assay.project import Project


@dataclass(frozen=True, eq=False)
class Desk:
    """What a labelling works with: an open ledger and gateway, and how to open more of them."""

    ledger: Ledger
    gateway: Gateway
    door: Door

    @property
    def run(self) -> str:
        """The ledger's id of the run."""
        return self.door.run


@contextmanager
def opened(
    project: Project | None,
    *,
    budget: Budget | None = None,
    models: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[tuple[Gateway, str]]:
    """Yield a gateway and the id of the run that its calls belong to; see :func:`desk`."""
    with desk(project, budget=budget, models=models, progress=progress) as made:
        yield made.gateway, made.run


@contextmanager
def desk(
    project: Project | None,
    *,
    budget: Budget | None = None,
    models: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
    unpriced_ok: bool = False,
) -> Iterator[Desk]:
    """Yield what a labelling works with.

    Without a project the record is kept in the user's cache folder, so that a labelling that
    was stopped goes on where it was.
    """
    if project is not None:
        ledger, settings = project.ledger(), project.settings
        terms: dict[str, Any] = {
            "budget": settings.budget if budget is None else budget,
            "privacy": settings.privacy,
            "unpriced_ok": unpriced_ok or settings.unpriced_ok,
        }
        made = Desk(ledger, *_door(ledger, models, progress, terms))
        with made.gateway:
            yield made
        return
    with unowned_ledger() as ledger:
        terms = {"budget": budget, "unpriced_ok": unpriced_ok}
        made = Desk(ledger, *_door(ledger, models, progress, terms))
        with made.gateway:
            yield made


def _door(
    ledger: Ledger,
    models: Mapping[str, Any] | None,
    progress: Callable[[Progress], None] | None,
    terms: Mapping[str, Any],
) -> tuple[Gateway, Door]:
    url = ledger.engine.url
    where = url.render_as_string(hide_password=False)
    if url.get_backend_name() == "sqlite" and url.database:
        where = url.database
    door = Door(where, ledger.artefacts, ledger.start_run("label", {}), models=models, **terms)
    return door.on(ledger, progress), door


def unowned_ledger() -> Ledger:
    """Return the record of what was labelled without a project; the caller closes it."""
    folder = cache_dir() / "label"
    folder.mkdir(exist_ok=True)
    return Ledger.open(folder / "ledger.sqlite")
