"""How many rows a second are labelled once annotators are fitted, with nothing answered before."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assay.label import LabelSettings
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.label.single.fit import fit_single
from assay.ledger import Ledger
from assay.llm import Gateway
from label_baselines import plainly
from label_sets import TextSet, draw_of

FITTED_ON = 200
GOLD = 100


def rate_of(data: TextSet, gateway: Gateway, rows: int, student: str) -> dict[str, float]:
    """Return the rows a second of ours and of the plain question, on the same rows.

    Annotators are fitted on 200 other rows and 100 gold rows, whose answers may be kept; the rows
    that are timed are answered from an empty ledger.

    Parameters
    ----------
    rows
        How many are timed.
    student
        ``linear`` or ``fine-tuned``.
    """
    drawn, pool = draw_of(data, 0, FITTED_ON + rows)
    read, task = read_rows(drawn.select("text"), data.task)
    fitted_on, timed = read.texts[:FITTED_ON], list(read.texts[FITTED_ON:])
    gold = read_gold(pool.head(GOLD), task, kind_of(task), read)
    settings = LabelSettings(student=student)
    fitted = fit_single(fitted_on, gold, task, gateway, settings)
    return {
        "rows": len(timed),
        "ours": _rate(fitted.answer, fitted_on, timed),
        "plain": _rate(
            lambda texts, fresh: plainly(task, list(texts), fresh, settings), fitted_on, timed
        ),
    }


def _rate(
    work: Callable[[Sequence[str], Gateway], Any], others: Sequence[str], timed: Sequence[str]
) -> float:
    """Return rows a second; two other rows come first, so that models are loaded."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(Path(folder) / "empty.sqlite")
        with ledger, Gateway(ledger) as gateway:
            work(others[:2], gateway)
            began = time.monotonic()
            work(timed, gateway)
            return len(timed) / (time.monotonic() - began)
