"""How fast rows are written: by the embedded model, and against a stub server.

    python benchmarks/synth_rates.py [--quick]

Texts of one class of Reuters R8, 20 real ones of each. The stub answers after 50 ms with a text of
its own, 64 requests in flight: what is timed is everything but the model. Loading is left out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gateway_server as stub
from assay.ledger import Ledger
from assay.llm import Gateway
from assay.llm.model import Limits
from assay.llm.providers import connect
from assay.synth.spec import Order
from assay.synth.written import write_rows
from common import arguments, print_result
from synth_text import load

EMBEDDED = "local:smollm2-135m"
IN_FLIGHT = 64
ROUNDS = 3


def rate(model: str, rows: int, **named: Any) -> dict[str, float]:
    """Return how many rows a minute ``model`` writes, and how many of those asked for came."""
    given = load("r8", 0)
    assert given is not None
    task, train, _, rare = given
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
        Gateway(ledger, **named) as gateway,
    ):
        write_rows(Order(task, train, rare, 1, 1), method="write", model=model, gateway=gateway)
        began = time.monotonic()
        found = write_rows(
            Order(task, train, rare, rows, 2), method="write", model=model, gateway=gateway
        )
        minutes = (time.monotonic() - began) / 60
    return {"asked": found.asked, "written": found.rows.height, "a_minute": found.asked / minutes}


def stubbed(rows: int) -> dict[str, float]:
    """Return the median of three rounds against the stub; the bare latency allows 76,800."""
    with server() as url:
        found = []
        for _ in range(ROUNDS):
            model = connect(f"{url}#m")
            models = {model.name: model}
            found.append(rate(model.name, rows, models=models, limits=Limits(in_flight=IN_FLIGHT)))
    return sorted(found, key=lambda each: each["a_minute"])[ROUNDS // 2]


@contextmanager
def server() -> Iterator[str]:
    """Serve stories from a process of their own."""
    command = [sys.executable, stub.__file__, "--stories"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def main() -> None:
    quick = arguments(__doc__).quick
    print_result(embedded=rate(EMBEDDED, 8 if quick else 32), stub=stubbed(256 if quick else 4096))


if __name__ == "__main__":
    main()
