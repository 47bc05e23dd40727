"""Door: how to open a ledger and a gateway, here or in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.errors import InputError
from assay.ledger import Ledger
from assay.llm import Budget, Gateway, Progress
from assay.llm.model import Limits
from assay.llm.privacy import Privacy


@dataclass(frozen=True)
class Door:
    """All that a gateway is made of; it can be pickled.

    Attributes
    ----------
    ledger
        The path of a SQLite file, or the URL of a database.
    artefacts
        Where the ledger keeps files.
    run
        The run that calls belong to: processes on one run share its caps.
    budget, models, privacy, unpriced_ok, limits
        As :class:`assay.llm.Gateway` takes them.
    """

    ledger: str
    artefacts: Path
    run: str
    budget: Budget | None = None
    models: Mapping[str, Any] | None = None
    privacy: Privacy | None = None
    unpriced_ok: bool = False
    limits: Limits = field(default_factory=Limits)

    @contextmanager
    def opened(self, progress: Callable[[Progress], None] | None = None) -> Iterator[Gateway]:
        """Yield a gateway on a ledger of its own."""
        with Ledger.open(self.ledger, self.artefacts) as ledger, self.on(ledger, progress) as made:
            yield made

    def on(self, ledger: Ledger, progress: Callable[[Progress], None] | None = None) -> Gateway:
        """Return a gateway on a ledger that is open."""
        return Gateway(
            ledger,
            run=self.run,
            budget=self.budget,
            models=self.models,
            privacy=self.privacy,
            unpriced_ok=self.unpriced_ok,
            limits=self.limits,
            progress=progress,
            capability="label",
        )

    def shared_by(self, workers: int, *, minutes: float) -> Door:
        """Return a worker's door: its part of the requests in flight, the minutes that are left.

        Parameters
        ----------
        minutes
            Minutes that have passed.
        """
        budget = self.budget
        if budget is not None and budget.minutes is not None:
            budget = replace(budget, minutes=max(0.0, budget.minutes - minutes))
        in_flight = max(1, self.limits.in_flight // workers)
        return replace(self, budget=budget, limits=replace(self.limits, in_flight=in_flight))

    def check_reach(self, machines: int) -> None:
        """Refuse a ledger in a file where the work is spread over several machines.

        Raises
        ------
        InputError
            When the other machines cannot see the ledger.
        """
        if machines > 1 and "://" not in self.ledger:
            raise InputError(
                "A ledger in a SQLite file cannot be shared by several machines.",
                given=f"{machines} machines in the Ray cluster",
                next_step="set ASSAY_LEDGER to a PostgreSQL database, and keep the project in a "
                "folder that all machines see",
            )
