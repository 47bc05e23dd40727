"""What so many rows will take, from a small part that is made, or from the real prompts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from assay.project import Project
from assay.recipe import narrowed
from assay.seeds import derive_seed
from assay.synth.lacking import chosen_scope
from assay.synth.made import make
from assay.synth.methods import asks_a_model, chosen_methods
from assay.synth.scarcity import require_enough
from assay.synth.spec import Order
from assay.synth.written.schema import RowSchema
from assay.synth.written.writing import requested

PART = 200


@dataclass(frozen=True)
class Forecast:
    """Rows, minutes, US dollars, and the rate in rows a minute."""

    rows: int
    minutes: float
    money: float
    rate: float

    def __str__(self) -> str:
        return (
            f"{self.rows:,} rows take about {self.minutes:,.1f} minutes "
            f"({self.rate:,.0f} rows a minute) and ${self.money:,.2f}."
        )


def forecast(
    project: Project,
    *,
    rows: int,
    for_class: str | None = None,
    where: str | None = None,
    method: str = "auto",
    model: str | None = None,
) -> Forecast:
    """Return what ``rows`` rows by each method will take; nothing is sent to a model.

    Raises
    ------
    InputError
        As :func:`assay.synth.synthesize` does.
    """
    search, task = project.search(), project.task
    scope = chosen_scope(
        search, task, project.ledger(), for_class=for_class, where=where, method=method
    )
    class_name, predicate = scope.class_name, scope.where
    search = narrowed(search, task, class_name, predicate)
    require_enough(search, task, class_name, predicate)
    methods = chosen_methods(method, task, class_name)
    seed = derive_seed(project.settings.seed, "forecast")
    order = Order(task, search, class_name, min(PART, rows), seed, predicate)
    seconds = money = 0.0
    with project.gateway(capability="synth") as gateway:
        for each in methods:
            if asks_a_model(each):
                name = model or project.settings.models.label
                schema = RowSchema(search, task)
                prompts = [found.prompt for found in requested(order, each, schema)]  # type: ignore[arg-type]
                seen = gateway.estimate(name, prompts, schema.model)
                seconds, money = seconds + seen.seconds, money + seen.money
            else:
                began = time.monotonic()
                make(order, each, model="", gateway=gateway, settings=project.settings.synth)
                seconds += time.monotonic() - began
    scale = rows / order.count
    minutes = max(seconds * scale / 60, 1e-9)
    return Forecast(rows, minutes, money * scale, rows * len(methods) / minutes)
