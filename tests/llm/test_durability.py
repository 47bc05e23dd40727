"""kill -9 at random moments, over real HTTP."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from model_servers import KEY, CompatibleServer

from assay.ledger import Ledger
from assay.llm import Prompt
from assay.llm.model import Capabilities
from assay.llm.providers import connect
from assay.llm.questions import Choose, Keys
from waiting import until

ROWS = 3000
IN_FLIGHT = 16
OPTIONS = ("sport", "money")

# Imports once and then forks for each life, so that fifty lives take seconds.
LIVES = """
import os, sys
import assay.llm.asking, assay.llm.providers.openai
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from assay.llm.model import Capabilities, Limits, Price
from assay.llm.providers import connect

path, url, run, rows, in_flight, replays = sys.argv[1:]

def live():
    model = connect(url + "#good")
    model.capabilities = Capabilities("log-probabilities", parts=1, replays=replays == "True")
    prompts = [Prompt("What?", f"row {n} sport") for n in range(int(rows))]
    with Ledger.open(path) as ledger, Gateway(ledger, run=run, models={model.name: model},
            prices={model.name: Price(1000, 0)}, limits=Limits(in_flight=int(in_flight))) as door:
        return door.choose(model.name, prompts, ["sport", "money"]).complete

for line in sys.stdin:
    life = os.fork()
    if life == 0:
        os._exit(0 if live() else 1)
    print(life, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(life, 0)[1]), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("replays", "kills"), [(True, 50), (False, 25)])
def test_kill_9_repeats_no_more_than_what_was_in_flight_and_the_money_adds_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replays: bool, kills: int
) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    path = tmp_path / "ledger.sqlite"
    server = CompatibleServer()
    server.delay = 0.02
    server.replays = replays
    key_of = keys(server)
    with Ledger.open(path) as ledger:
        run = ledger.start_run("kill", {})
    arguments = [str(path), server.url, run, str(ROWS), str(IN_FLIGHT), str(replays)]
    dice = random.Random(0)
    with subprocess.Popen(
        [sys.executable, "-c", LIVES, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as lives:
        assert lives.stdin is not None
        assert lives.stdout is not None
        for life in range(kills + 1):
            with Ledger.open(path) as ledger:
                known = {each.key for each in ledger.entries("call") if each.body["answer"]}
            assert len(known) <= server.answered
            received = len(server.received)
            print("live", file=lives.stdin, flush=True)
            process = int(lives.stdout.readline())
            if life < kills:
                until(lambda before=received: len(server.received) > before)
                time.sleep(dice.uniform(0, 0.1))
                os.kill(process, signal.SIGKILL)
            ended = int(lives.stdout.readline())
            assert ended == (0 if life == kills else -signal.SIGKILL), "more rows are needed"
            time.sleep(2 * server.delay)  # what is in flight at the server ends
            asked = [key_of[each["messages"][-1]["content"]] for each in server.received[received:]]
            assert known.isdisjoint(asked)
    with Ledger.open(path) as ledger:
        calls = ledger.entries("call")
    statuses = Counter(each.body["status"] for each in calls)
    answered = {each.key for each in calls if each.body["status"] == "answered"}
    assert statuses["answered"] == len(answered) == ROWS
    repeated = len(server.received) - ROWS
    assert 0 < repeated <= kills * IN_FLIGHT
    price = next(each.body["money"] for each in calls if each.body["answer"])
    money = sum(each.body["money"] for each in calls)
    if replays:
        # The server counts an answer once however often it is asked for; so does the ledger.
        assert server.answered == ROWS
        assert money == pytest.approx(server.answered * price)
    else:
        # What a killed process may have paid for is counted at its price: never too little, and
        # too much only for what was in flight and unanswered.
        assert money == pytest.approx((ROWS + statuses["lost"]) * price)
        assert repeated <= statuses["lost"] <= kills * IN_FLIGHT
        assert server.answered * price <= money * (1 + 1e-9)
    print(f"kills {kills}, rows {ROWS}, repeated {repeated}, {dict(statuses)}")
    server.close()


def keys(server: CompatibleServer) -> dict[str, str]:
    """Return the key of each row's text."""
    model = connect(f"{server.url}#good")
    model.capabilities = Capabilities("log-probabilities", parts=1)
    made = Keys(model.name, "choose", Choose(OPTIONS).extra, model.parameters)
    texts = [f"row {n} sport" for n in range(ROWS)]
    return {text: made.of(Prompt("What?", text)) for text in texts}
