"""kill -9 at random moments, over real HTTP."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from model_servers import KEY, CompatibleServer

from assay.ledger import Ledger

KILLS = 50
ROWS = 1500
IN_FLIGHT = 16
COMMITTED_WITHIN = 0.05

WORKER = """
import sys
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from assay.llm.model import Capabilities, Limits, Price
from assay.llm.providers import connect

path, url, run, rows, in_flight, replays = sys.argv[1:]
model = connect(url + "#good")
model.capabilities = Capabilities("log-probabilities", parts=1, replays=replays == "True")
with Ledger.open(path) as ledger:
    with Gateway(ledger, run=run, models={model.name: model}, prices={model.name: Price(1000, 0)},
                 limits=Limits(in_flight=int(in_flight))) as gateway:
        print("ready", flush=True)
        prompts = [Prompt("What?", f"row {n} sport") for n in range(int(rows))]
        assert gateway.choose(model.name, prompts, ["sport", "money"]).complete
print("finished", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("replays", [True, False])
def test_kill_9_loses_nothing_and_repeats_only_what_was_not_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replays: bool
) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    path = tmp_path / "ledger.sqlite"
    server = CompatibleServer()
    server.delay = 0.02
    server.replays = replays
    with Ledger.open(path) as ledger:
        run = ledger.start_run("kill", {})
    command = [sys.executable, "-c", WORKER, str(path), server.url, run, str(ROWS), str(IN_FLIGHT)]
    dice = random.Random(0)
    kills, finished = 0, False
    while kills < KILLS // 2:
        worker = subprocess.Popen([*command, str(replays)], stdout=subprocess.PIPE, text=True)
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.08))
        worker.send_signal(signal.SIGKILL)
        rest = worker.stdout.read()
        worker.stdout.close()
        worker.wait()
        if "finished" in rest:
            finished = True
            break
        kills += 1
        time.sleep(0.03)  # what is in flight at the server ends
        with Ledger.open(path) as ledger:
            recorded = len([each for each in ledger.entries("call") if each.body["answer"]])
            assert recorded <= server.answered
    assert not finished, "more rows are needed for so many kills"
    last = subprocess.run([*command, str(replays)], capture_output=True, text=True, check=True)
    assert "finished" in last.stdout
    with Ledger.open(path) as ledger:
        calls = ledger.entries("call")
    answered = [each for each in calls if each.body["status"] == "answered"]
    repeated = len(server.received) - ROWS
    assert len(answered) == len({each.key for each in answered}) == ROWS
    # A call is settled once its answer is committed, at most 50 ms after it came: a kill repeats
    # what is on the wire, and what came within those 50 ms from a server this quick.
    unsettled = IN_FLIGHT * (1 + COMMITTED_WITHIN / server.delay)
    assert repeated <= kills * unsettled
    assert max(server.texts.values()) <= kills + 1
    price = next(each.body["money"] for each in answered)
    money = sum(each.body["money"] for each in calls)
    if replays:
        # The server counts an answer once however often it is asked for; so does the ledger.
        assert server.answered == ROWS
        assert money == pytest.approx(server.answered * price)
    else:
        # What a killed process may have paid for is counted at its price: never too little.
        lost = sum(each.body["status"] == "lost" for each in calls)
        assert server.answered * price <= money * (1 + 1e-9)
        assert money == pytest.approx((ROWS + lost) * price)
    print(f"kills {kills}, rows {ROWS}, requests {len(server.received)}, repeated {repeated}")
    server.close()
