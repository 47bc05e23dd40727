"""Whether a search embeds its texts: only where that fits into a quarter of its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import polars as pl

from assay.errors import AssayError
from assay.experiment.order import Order
from assay.experiment.search.texts import EMBEDDED
from assay.project import Project
from assay.recipe import Tools
from assay.recipe.features import texts

SHARE = 0.25
"""Loading the model and embedding every text may take so much of the time."""

LEAST_SECONDS = 30.0
"""In less time loading the model alone would cost more than it brings."""

WARMING, TASTED = 16, 128
"""Texts embedded before, and while, the pace is measured: the first ones are slow, and few are."""

ASSUMED_PACE = 10_000.0
"""Characters a second where the clock must not decide, in the manner of one slow processor."""


def embedder(
    project: Project,
    rows: pl.DataFrame,
    order: Order,
    tools: Tools,
    notes: list[str],
    now: Callable[[], float] = time.monotonic,
) -> str | None:
    """Embed every text of ``rows`` and return the model; None where that fails or takes too long.

    The pace is measured on a few texts from all over the rows; no more than these are embedded
    without. A search of at most so many recipes has to try the same ones each time, so there a
    pace is assumed. Texts that were embedded before cost nothing, and tell nothing of the pace.

    Parameters
    ----------
    notes
        Gets why embeddings are left out.
    now
        The clock, in seconds.
    """
    column, model = project.task.text, project.settings.models.embed
    if column is None or (order.families and not set(order.families) & set(EMBEDDED)):
        return None
    words = texts(rows, column)
    try:
        why = _embed(tools, model, words, column, 60 * order.minutes, order.most is not None, now)
    except AssayError as error:
        why = str(error)
    if why is None:
        return model
    notes.append(f"embeddings are left out: {why}")
    return None


def _embed(
    tools: Tools,
    model: str,
    words: Sequence[str],
    column: str,
    seconds: float,
    repeatable: bool,
    now: Callable[[], float],
) -> str | None:
    """Embed ``words``, or return why that would take too long."""
    new = tools.not_embedded(model, words)
    if not new:
        return None
    if seconds < LEAST_SECONDS:
        return f"a search of less than {LEAST_SECONDS:.0f} s has no time for them"
    if repeatable:
        expected = _characters(new) / ASSUMED_PACE
    else:
        new = tools.never_embedded(model, new)
        expected = _measured(tools, model, new, column, now)
    if expected > SHARE * seconds:
        return f"{len(new):,} texts would take about {expected:.0f} s"
    tools.vectors(model, words, column)
    return None


def _measured(
    tools: Tools, model: str, new: Sequence[str], column: str, now: Callable[[], float]
) -> float:
    """Embed a few of ``new`` and return the seconds that all take, those that these took included.

    Where there are no more than a few, none is embedded and they count as nothing.
    """
    if len(new) <= WARMING + TASTED:
        return 0.0
    began = now()
    spread = new[:: len(new) // (WARMING + TASTED)][: WARMING + TASTED]
    tools.vectors(model, spread[:WARMING], column)  # loads the model
    measured = now()
    tools.vectors(model, spread[WARMING:], column)
    pace = (now() - measured) / max(_characters(spread[WARMING:]), 1)
    return now() - began + pace * (_characters(new) - _characters(spread))


def _characters(words: Sequence[str]) -> int:
    return sum(len(each) for each in words)
