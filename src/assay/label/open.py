"""Opens the ledger and the gateway that a labelling works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from assay.config import cache_dir
from assay.ledger import Ledger
from assay.llm import Budget, Gateway, Progress
from assay.project import Project


@contextmanager
def opened(
    project: Project | None,
    *,
    budget: Budget | None = None,
    models: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[tuple[Gateway, str]]:
    """Yield a gateway and the id of the run that its calls belong to.

    Without a project the record is kept in the user's cache folder, so that a labelling that
    was stopped goes on where it was.
    """
    if project is not None:
        ledger = project.ledger()
        run = ledger.start_run("label", {})
        with project.gateway(run=run, budget=budget, models=models, progress=progress,
                             capability="label") as gateway:  # fmt: skip
            yield gateway, run
        return
    with unowned_ledger() as ledger:
        run = ledger.start_run("label", {})
        with Gateway(ledger, run=run, budget=budget, models=models, progress=progress,
                     capability="label") as gateway:  # fmt: skip
            yield gateway, run


def unowned_ledger() -> Ledger:
    """Return the record of what was labelled without a project; the caller closes it."""
    folder = cache_dir() / "label"
    folder.mkdir(exist_ok=True)
    return Ledger.open(folder / "ledger.sqlite")
