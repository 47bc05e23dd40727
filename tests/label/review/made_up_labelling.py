"""A labelling without a model, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from assay.label import LabelResult, LabelTask
from assay.label.rows import read_rows
from assay.label.spec import Answers
from assay.label.store import save
from assay.ledger import Ledger
from assay.llm import Spend

NEWS = LabelTask.of({"farm": "crops and cattle", "ships": "the sea", "money": ""})


def labelling(
    ledger: Ledger,
    *,
    task: LabelTask = NEWS,
    n: int = 40,
    labels: Sequence[Any] | None = None,
    texts: Sequence[str] | None = None,
    precision: float | None = 0.8,
) -> LabelResult:
    """Record a labelling of n rows; the surer half is labelled first class, the rest the last."""
    random = np.random.default_rng(0)
    read, task = read_rows(
        pl.DataFrame({"text": texts or [f"text number {row}" for row in range(n)]}), task
    )
    n = len(read)
    probability = random.uniform(0.5, 1, n)
    names = task.class_names
    if labels is None:
        labels = [names[0] if each > 0.75 else names[-1] for each in probability]
    votes = {
        each: random.dirichlet(np.ones(len(names)), n) for each in ("model", "similarity") if names
    }
    result = LabelResult(
        task=task, rows=read, answers=Answers(list(labels), probability, votes=votes),
        checked=None, given={}, precision=precision, confidence=0.9, steps=(), notes=(),
        spend=Spend(), seconds=1.0, run=ledger.start_run("label", {}),
    )  # fmt: skip
    save(result, ledger)
    return result
