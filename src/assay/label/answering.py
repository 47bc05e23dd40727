"""Answers for all rows: copies asked once, the work done here or on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from assay.errors import BudgetError
from assay.label.copies import Original
from assay.label.door import Door
from assay.label.kinds import Fitted
from assay.label.reading import JOINT
from assay.label.rows import Rows
from assay.label.spec import Answers
from assay.llm import Gateway

Ask = Callable[[Sequence[str]], Answers]

COPIED = "same text as row"
"""Begins the remark on a row that copies another."""

PORTION = 2000
"""Rows that a worker of a cluster answers at once."""


def ask_with(engine: str, fitted: Fitted, gateway: Gateway, door: Door | None, embed: str) -> Ask:
    """Return what answers texts, in this process or on a Ray cluster."""
    work = Answering(fitted, embed)
    if engine == "local" or door is None:
        return lambda texts: work.answer(texts, gateway)
    return partial(_ask_cluster, work, door, time.monotonic())


@dataclass(frozen=True)
class Answering:
    """Answers texts; those that a cap leaves without a vector fail, and the others do not.

    Where a kind embeds parts of a text, as the sides of a pair, all of these texts fail.

    Attributes
    ----------
    fitted
        The annotators.
    embed
        Turns texts into vectors.
    """

    fitted: Fitted
    embed: str

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer texts."""
        try:
            return self.fitted.answer(texts, gateway)
        except BudgetError as error:  # what was answered and embedded is on record
            lacking = set(gateway.never_embedded(self.embed, texts))
            known = [row for row, text in enumerate(texts) if text not in lacking]
            if len(known) in (0, len(texts)):
                return _failed(len(texts), str(error))
            found = self.answer([texts[row] for row in known], gateway)
            open_rows = dict.fromkeys(set(range(len(texts))) - set(known), str(error))
            return _spread(found, range(len(known)), known, len(texts), open_rows)


def _failed(rows: int, why: str) -> Answers:
    return Answers([None] * rows, np.full(rows, np.nan), dict.fromkeys(range(rows), why))


def answer(originals: Sequence[Original], rows: Rows, ask: Ask) -> Answers:
    """Answer every row that can be asked about, each different text once.

    Parameters
    ----------
    originals
        What each of n rows is asked with.
    rows
        The rows, and what is known of them before they are asked about.
    """
    usable = [row for row in range(len(originals)) if row not in rows.why]
    texts = list(dict.fromkeys(originals[row].text for row in usable))
    asked = set(usable)
    place_of = {text: place for place, text in enumerate(texts)}
    found = ask(texts) if texts else Answers([], np.empty(0))
    answers = _spread(found, [place_of[originals[row].text] for row in usable], usable,
                      len(originals), dict(rows.why))  # fmt: skip
    flags: dict[int, str] = {}
    for row, original in enumerate(originals):
        same = None if original.row_id is None else f"{COPIED} {original.row_id}"
        told = [rows.flags.get(row), answers.flags.get(row), same if row in asked else None]
        each = dict.fromkeys(part for some in told if some for part in some.split(JOINT))
        if each:
            flags[row] = JOINT.join(each)
    return replace(answers, flags=flags)


def _spread(
    found: Answers, places: Sequence[int], rows: Sequence[int], total: int, why: dict[int, str]
) -> Answers:
    """Put the answer of ``places[i]`` at ``rows[i]`` of ``total`` rows."""

    def wide(values: Any) -> Any:
        made = np.full((total, *values.shape[1:]), np.nan)
        made[list(rows)] = values[list(places)]
        return made

    labels: list[Any] = [None] * total
    whys, flags = dict(why), {}
    for place, row in zip(places, rows, strict=True):
        labels[row] = found.labels[place]
        if place in found.why:
            whys[row] = found.why[place]
        if place in found.flags:
            flags[row] = found.flags[place]
    votes = {name: wide(each) for name, each in found.votes.items()}
    return Answers(labels, wide(found.probability), whys, votes, flags)


def joined(parts: Sequence[Answers]) -> Answers:
    """Return the answers of consecutive portions as one."""
    starts = np.cumsum([0, *(len(part) for part in parts)]).tolist()

    def moved(name: str) -> dict[int, str]:
        return {
            start + row: each
            for start, part in zip(starts, parts, strict=False)
            for row, each in getattr(part, name).items()
        }

    return Answers(
        labels=[label for part in parts for label in part.labels],
        probability=np.concatenate([part.probability for part in parts]),
        why=moved("why"),
        votes=_joined_votes(parts),
        flags=moved("flags"),
    )


def _joined_votes(parts: Sequence[Answers]) -> dict[str, Any]:
    """Join votes; a portion that an annotator was not asked about has none of its votes."""
    widths = {name: each.shape[1] for part in parts for name, each in part.votes.items()}
    return {
        name: np.concatenate(
            [part.votes.get(name, np.full((len(part), width), np.nan)) for part in parts]
        )
        for name, width in widths.items()
    }


@dataclass(frozen=True)
class Answerer:
    """Makes a worker that answers portions of texts with a gateway of its own."""

    work: Answering
    door: Door

    @contextmanager
    def __call__(self) -> Iterator[Callable[[Sequence[str]], Answers]]:
        """Yield what answers one portion."""
        with self.door.opened() as gateway:
            yield lambda texts: self.work.answer(texts, gateway)


def _ask_cluster(work: Answering, door: Door, began: float, texts: Sequence[str]) -> Answers:
    from assay.engine.cluster import (
        cluster_machines,
        cluster_workers,
        connected,
        run_on_cluster,
    )

    portions = [texts[start : start + PORTION] for start in range(0, len(texts), PORTION)]
    minutes = (time.monotonic() - began) / 60
    with connected():
        door.check_reach(cluster_machines())
        workers = min(len(portions), cluster_workers())
        make = Answerer(work, door.shared_by(workers, minutes=minutes))
        return joined(list(run_on_cluster(make, portions, workers=workers)))
