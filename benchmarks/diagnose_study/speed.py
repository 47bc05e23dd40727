"""How long a diagnosis of many rows takes, with everything given that detectors ask for."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from assay.diagnose import diagnose_case
from assay.diagnose.given import read_case

NUMBERS, WORDS = 22, 6


def table(n: int, random: np.random.Generator) -> pl.DataFrame:
    """Return (n, 30): numbers, words of 5 to 105 values, who labelled, and a protected column."""
    numbers = {f"x{at}": random.normal(size=n) for at in range(NUMBERS)}
    words = {
        f"c{at}": random.choice([f"v{value}" for value in range(5 + 20 * at)], n)
        for at in range(WORDS)
    }
    people = {"person": random.choice(["ann", "bob", "eve"], n)}
    return pl.DataFrame(numbers | words | people | {"area": random.choice(["n", "s"], n)})


def seconds(rows: int, *, everything: bool) -> float:
    """Return the seconds for so many rows of 30 columns.

    Parameters
    ----------
    everything
        Whether probabilities, training rows, a protected column and annotators are given too.
    """
    random = np.random.default_rng(0)
    said = random.choice(["a", "b"], rows)
    truth = np.where(random.random(rows) < 0.9, said, np.where(said == "a", "b", "a"))
    judged = table(rows, random).with_columns(y=pl.Series(truth))
    training = table(rows // 2, random).with_columns(
        y=pl.Series(random.choice(["a", "b"], rows // 2))
    )
    sure = np.where(said == "a", 0.9, 0.1)
    began = time.perf_counter()
    if everything:
        case = read_case(
            judged, truth="y", probabilities=np.column_stack([sure, 1 - sure]), training=training,
            protected=("area",), annotator="person",
        )  # fmt: skip
    else:
        case = read_case(judged, truth="y", predictions=said)
    diagnose_case(case)
    return round(time.perf_counter() - began, 1)
