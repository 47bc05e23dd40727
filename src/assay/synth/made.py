"""The rows themselves: made from all search rows, sifted, counted, and measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.evidence import Evidence
from assay.llm import Gateway
from assay.project.settings import Synth
from assay.seeds import derive_seed
from assay.synth.curation import sift_all, told_apart
from assay.synth.curation.curated import ABUNDANCE, filters_for
from assay.synth.curation.judges import Lesson, encoded
from assay.synth.curation.numbers import Encoded
from assay.synth.curation.remembered import NotRemembered
from assay.synth.curation.slices import InSlice
from assay.synth.curation.wellformed import WellFormed
from assay.synth.measure.diversity import distinct_n, plan_coverage, vendi_score
from assay.synth.measure.fidelity import measure_fidelity
from assay.synth.methods import asks_a_model, making_parameters
from assay.synth.private import PRIVATE, OpenDPNoise, private_rows
from assay.synth.result import Batch, Sample
from assay.synth.spec import PLANNED, Filter, Order
from assay.synth.tabular import made_rows
from assay.synth.text import METHODS as TEXTUAL
from assay.synth.text import made_texts
from assay.synth.written import write_rows

SAMPLES = 5


@dataclass(frozen=True)
class Making:
    """The rows of one method after the filters, and their counts."""

    rows: pl.DataFrame
    batch: Batch


@dataclass(frozen=True)
class _Raw:
    """Rows as a method gave them."""

    rows: pl.DataFrame
    asked: int
    stopped: str | None = None
    planned: Mapping[str, int] = field(default_factory=dict)
    epsilon: float | None = None
    delta: float | None = None


def make(
    order: Order,
    method: str,
    *,
    model: str,
    gateway: Gateway,
    settings: Synth,
    step: Callable[[int, int], None] | None = None,
) -> Making:
    """Make and sift rows; a method without a model makes twice as many as wanted.

    Rows under differential privacy are held to stated constraints alone: other filters look at real
    rows.
    """
    began = time.monotonic()
    if asks_a_model(method):
        raw = _written(order, method, model, gateway, step)
    elif method == PRIVATE:
        raw = _private(order, settings)
    else:
        raw = _made(order, method)
    filters: Sequence[Filter] = ()
    if method == PRIVATE:
        filters = (WellFormed(order.constraints),) if order.constraints else ()
    else:
        filters = filters_for(order.rows, order.task, method, order.constraints)
        if method != "oversample":
            filters = (*filters, NotRemembered())
    if order.where.conditions:
        filters = (InSlice(order.where), *filters)
    kept, counted = sift_all(raw.rows, order, filters)
    kept = kept.head(order.count)
    filled = None
    if raw.planned:
        filled = plan_coverage(raw.planned, dict(kept[PLANNED].value_counts().rows()))
    batch = Batch(
        method,
        raw.asked,
        raw.rows.height,
        kept.height,
        counted,
        round(time.monotonic() - began, 3),
        raw.stopped,
        filled,
        raw.epsilon,
        raw.delta,
    )
    return Making(kept, batch)


def _written(
    order: Order,
    method: str,
    model: str,
    gateway: Gateway,
    step: Callable[[int, int], None] | None,
) -> _Raw:
    found = write_rows(order, method=method, model=model, gateway=gateway, step=step)  # type: ignore[arg-type]
    return _Raw(found.rows, found.asked, found.stopped, found.planned)


def _private(order: Order, settings: Synth) -> _Raw:
    noise, asked = OpenDPNoise(), ABUNDANCE * order.count
    made = private_rows(
        order.rows,
        order.task,
        class_name=order.class_name,
        count=asked,
        seed=order.seed,
        noise=noise,
        **making_parameters(PRIVATE, settings),
    )
    return _Raw(made, asked, epsilon=noise.epsilon, delta=noise.delta)


def _made(order: Order, method: str) -> _Raw:
    asked = order.count if method == "oversample" else ABUNDANCE * order.count
    function = made_texts if method in TEXTUAL else made_rows
    made = function(
        order.rows,
        order.task,
        method=method,  # type: ignore[arg-type]
        class_name=order.class_name,
        count=asked,
        seed=order.seed,
    )
    return _Raw(made, asked)


def measured(made: pl.DataFrame, order: Order) -> tuple[tuple[Evidence, ...], dict[str, float]]:
    """Return how alike the made rows are to real ones, and how different from each other."""
    if made.is_empty():
        return (), {}
    apart = told_apart(made, order)
    task = order.task
    numbers = {"rows": float(made.height)}
    numbers["vendi score"] = vendi_score(encoded(Lesson.of(order)).made(made), seed=order.seed)
    if task.text is not None:
        texts = made[task.text].fill_null("").to_list()
        numbers |= {f"distinct {n}": distinct_n(texts, n) for n in (1, 2)}
    real = order.own
    alike = measure_fidelity(made, real, task, seed=order.seed)
    found = (apart, *(() if alike is None else (alike.marginals, alike.pairwise)))
    return tuple(each for each in found if each is not None), numbers


def samples(made: pl.DataFrame, order: Order, count: int = SAMPLES) -> tuple[Sample, ...]:
    """Return made rows drawn at random, each beside the real row of its class nearest to it."""
    from sklearn.preprocessing import normalize

    task = order.task
    if made.is_empty():
        return ()
    real = order.own
    places = np.random.default_rng(derive_seed(order.seed, "samples")).permutation(made.height)
    drawn = made[sorted(places[:count].tolist())]
    both = Encoded.of(real, task)
    alike = normalize(both.made(drawn)) @ normalize(both.real).T
    alike = np.asarray(alike.toarray() if hasattr(alike, "toarray") else alike)
    shown = drawn.select(task.inputs).to_dicts()
    beside = real.select(task.inputs)[alike.argmax(axis=1).tolist()].to_dicts()
    return tuple(
        Sample(_told(each), _told(near), round(float(np.clip(share, 0, 1)), 4))
        for each, near, share in zip(shown, beside, alike.max(axis=1), strict=True)
    )


def _told(row: dict[str, object]) -> dict[str, object]:
    return {
        name: value if value is None or isinstance(value, bool | int | float) else str(value)[:400]
        for name, value in row.items()
    }
