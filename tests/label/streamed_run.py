"""Labels a file over HTTP; the tests kill it. ``python streamed_run.py FOLDER URL ENGINE``."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import polars as pl
from scripted_kind import ScriptedKind

from assay.label.open import desk
from assay.label.run import Order
from assay.label.spec import LabelSettings
from assay.label.stream import stream_file
from assay.llm.model import Price

TASK = ["yes", "no"]
PIECE = 100


def settings_of(url: str) -> LabelSettings:
    return LabelSettings(models=(f"{url}#good",), fit_rows=50)


def order_of(url: str, engine: str = "local") -> Order:
    return Order(settings_of(url), precision=0.6, confidence=0.9, engine=engine)


def gold_rows() -> pl.DataFrame:
    texts = [f"gold {number} {'yes' if number % 3 else 'no'}" for number in range(60)]
    return pl.DataFrame({"text": texts, "label": [each.split()[-1] for each in texts]})


def main(folder: Path, url: str, engine: str) -> None:
    print("ready", flush=True)
    with (
        patch("assay.label.stream.kind_of", lambda _: ScriptedKind()),
        patch("assay.llm.pricing.price_of", lambda *_, **__: Price(1000, 0)),
        desk(None) as made,
    ):
        found = stream_file(folder / "in.csv", TASK, gold_rows(), out=folder / "out.csv",
                           desk=made, order=order_of(url, engine), piece=PIECE)  # fmt: skip
    print("finished", dict(found.status), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
