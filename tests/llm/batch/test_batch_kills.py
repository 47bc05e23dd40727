"""kill -9 at every step of a batch, over real HTTP: nothing is lost, nothing is paid twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.ledger import Ledger
from assay.ledger.batches import BatchBook
from assay.ledger.calls import CallBook

ROWS = 300
STEPS = ["plan", "reserve", "submit", "submitted", "state", "write"]
"""The function after which the process kills itself, in the order of a batch's life."""

WORKER = """
import functools, os, signal, sys
from pydantic import BaseModel
from assay.ledger import Ledger
from assay.ledger.batches import BatchBook
from assay.ledger.calls import CallBook
from assay.llm import Gateway, Prompt
from assay.llm.batch import waiting
from assay.llm.batch.anthropic import AnthropicBatches
from assay.llm.batch.openai import OpenAIBatches
from assay.llm.model import Price

waiting.FIRST_SECONDS = waiting.LONGEST_SECONDS = 0.01
path, run, model, rows, step = sys.argv[1:]


class Words(BaseModel):
    words: int


def dies_after(kind, name):
    done = getattr(kind, name)

    @functools.wraps(done)
    def dying(self, first, *rest, **named):
        value = done(self, first, *rest, **named)
        if name != "write" or len(first) == 256:  # some of the answers
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    @functools.wraps(done)
    async def dying_later(self, *rest, **named):
        await done(self, *rest, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(kind, name, dying_later if name in ("submit", "state") else dying)


for kind in (BatchBook, CallBook, OpenAIBatches, AnthropicBatches):
    if step in vars(kind):
        dies_after(kind, step)
prompts = [Prompt("Count the words.", "row of words " * (n % 7) + str(n)) for n in range(int(rows))]
with Ledger.open(path) as ledger:
    with Gateway(ledger, run=run, prices={model: Price(1000, 3000)}, batch=True) as gateway:
        assert gateway.generate(model, prompts, Words).complete
print("finished", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_kill_9_at_every_step_loses_nothing_and_pays_nothing_twice(
    tmp_path: Path, serve: Callable[[str], tuple[Any, str]], provider: str
) -> None:
    server, model = serve(provider)
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        run = ledger.start_run("kill", {})
    worker = [sys.executable, "-c", WORKER, str(path), run, model, str(ROWS)]
    for step in STEPS:
        killed = subprocess.run([*worker, step], capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, (step, killed.stderr)
    with Ledger.open(path) as ledger:
        early = Counter(each.body["status"] for each in ledger.entries("call"))
        assert early["answered"] == 256  # what the last one committed before it died
    last = subprocess.run([*worker, "never"], capture_output=True, text=True)
    assert "finished" in last.stdout, last.stderr

    assert len(server.batches) == 1
    assert server.received == []
    assert set(server.asked.values()) == {1}
    assert len(server.asked) == ROWS
    with Ledger.open(path) as ledger:
        calls = ledger.entries("call")
        balance = CallBook(ledger, run).balance()
        assert BatchBook(ledger).open() == []
    statuses = Counter(each.body["status"] for each in calls)
    # "reserve" was killed before it was sent: those reservations were given back.
    assert statuses == {"answered": ROWS, "unsent": ROWS}
    read, written = server.tokens
    assert balance.spent.money == (1000 * read + 3000 * written) // 2
    assert balance.reserved.money == balance.reserved.calls == balance.reserved.tokens == 0
    assert balance.spent.calls == ROWS


@pytest.mark.slow
def test_two_processes_do_not_collect_one_batch(
    tmp_path: Path, serve: Callable[[str], tuple[Any, str]]
) -> None:
    from pydantic import BaseModel

    from assay.errors import ModelError
    from assay.llm import Gateway, Prompt

    class Words(BaseModel):
        words: int

    server, model = serve("openai")
    server.held = True
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path) as ledger:
        run = ledger.start_run("two", {})
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), run, model, "3", "never"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with Ledger.open(path) as ledger, Gateway(ledger, batch=True, unpriced_ok=True) as gateway:
            while not BatchBook(ledger).open() or server.looks < 3:
                assert worker.poll() is None
            prompts = [Prompt("Count the words.", "row of words " * (n % 7) + str(n))
                       for n in range(3)]  # fmt: skip
            with pytest.raises(ModelError, match="Another process is waiting"):
                gateway.generate(model, prompts, Words)
            server.held = False
            assert worker.communicate(timeout=60)[0] == "finished\n"
            assert gateway.generate(model, prompts, Words).cached.all()
    finally:
        worker.kill()
        worker.wait()
    assert len(server.batches) == 1
