"""kill -9 at every step of a batch, over real HTTP: nothing is lost, nothing is paid twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from assay.errors import ModelError
from assay.ledger import Ledger
from assay.ledger.batches import BatchBook
from assay.ledger.calls import CallBook
from assay.llm import Gateway, Prompt
from assay.llm.journal import OWNER

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
from assay.llm.journal import OWNER
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


class Words(BaseModel):
    words: int


def prompts(count: int) -> list[Prompt]:
    """Return what the worker asks."""
    return [Prompt("Count the words.", "row of words " * (n % 7) + str(n)) for n in range(count)]


@pytest.fixture
def working(
    tmp_path: Path, serve: Callable[[str], tuple[Any, str]]
) -> Iterator[tuple[Any, str, Path, subprocess.Popen[str]]]:
    """A server that holds a batch, and the process that waits for it."""
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
    while server.looks < 3:
        assert worker.poll() is None
        time.sleep(0.01)
    yield server, model, path, worker
    worker.kill()
    worker.communicate()


@pytest.mark.slow
def test_two_processes_do_not_collect_one_batch(
    working: tuple[Any, str, Path, subprocess.Popen[str]],
) -> None:
    server, model, path, worker = working
    with Ledger.open(path) as ledger, Gateway(ledger, batch=True, unpriced_ok=True) as gateway:
        with pytest.raises(ModelError, match="Another process is waiting"):
            gateway.generate(model, prompts(3), Words)
        server.held = False
        assert worker.communicate(timeout=300)[0] == "finished\n"
        assert gateway.generate(model, prompts(3), Words).cached.all()
    assert len(server.batches) == 1


@pytest.mark.slow
def test_what_another_process_collects_just_now_is_not_asked_again(
    working: tuple[Any, str, Path, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, model, path, worker = working
    take = BatchBook.take

    def take_late(*given: Any) -> bool:
        server.held = False
        assert worker.communicate(timeout=300)[0] == "finished\n"
        return take(*given)

    monkeypatch.setattr(BatchBook, "take", take_late)
    with Ledger.open(path) as ledger, Gateway(ledger, batch=True, unpriced_ok=True) as gateway:
        assert gateway.generate(model, prompts(3), Words).cached.all()
        assert BatchBook(ledger).open() == []
    assert len(server.batches) == 1


@pytest.mark.parametrize("minutes", [5, 7])
def test_a_holder_on_another_machine_is_gone_when_it_shows_no_sign_for_six_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """As a container that was replaced: whether its process lives cannot be seen from here."""
    from assay.llm.batch import holding

    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run("elsewhere", {})
        book = BatchBook(ledger)
        there = "another-machine:7:1"
        for token in ("one", "two"):
            batch = book.plan(token, run=run, model="m", question="q", rows=1, holder=there)
        monkeypatch.setattr(holding, "QUIET", timedelta(minutes=6) - timedelta(minutes=minutes))
        gone = minutes > 6
        mine = holding.Holding(ledger)
        assert mine.take(batch) is gone
        mine.let_go()
        assert (book.holder("two") == OWNER) is gone
        assert book.holder("one") == there
        assert mine.still(batch) is gone
        monkeypatch.setattr(holding, "BEAT_SECONDS", -1.0)
        mine.beat()
        assert ledger.find("event", f"beat:{OWNER}") is not None
