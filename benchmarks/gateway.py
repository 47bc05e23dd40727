"""The gateway against a bare aiohttp loop, and its peers where they are installed.

    python benchmarks/gateway.py [--quick] [--seconds N] [--in-flight 64 256] [--million]

A server in a process of its own answers each chat completion after 50 ms. In every round the
bare loop (which keeps nothing and checks nothing) and the gateway (journal on, a fresh SQLite
ledger, opened before the clock starts) ask the same rows with the same number in flight, on the
same kind of event loop; the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

from gateway_peers import INSTRUCTIONS, rates
from gateway_server import DELAY

OPTIONS = ("sport", "money")


def text_of(tag: str, index: int) -> str:
    return f"{tag} {index}: a text of some length " * 4


class Rows:
    """Prompts made when they are read: a million of them take no memory."""

    def __init__(self, count: int, tag: str) -> None:
        self._count = count
        self._tag = tag

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Any: ...
    def __getitem__(self, index: Any) -> Any:
        from assay.llm import Prompt

        if index >= self._count:
            raise IndexError(index)
        return Prompt(INSTRUCTIONS, text_of(self._tag, index))


async def bare_loop(url: str, rows: Rows, in_flight: int) -> None:
    """Ask all rows with plain aiohttp, and read the first probability."""
    import aiohttp

    left = iter(range(len(rows)))
    connector = aiohttp.TCPConnector(limit=0)

    async def work(session: aiohttp.ClientSession) -> None:
        for index in left:
            prompt = rows[index]
            body = {
                "model": "m",
                "messages": [
                    {"role": "system", "content": prompt.instructions},
                    {"role": "user", "content": prompt.text},
                ],
                "max_tokens": 1,
                "temperature": 0,
                "logprobs": True,
                "top_logprobs": 20,
            }
            async with session.post(url + "/chat/completions", json=body) as response:
                answer = json.loads(await response.read())
            _ = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"]

    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(in_flight)))


def bare(url: str, rows: Rows, in_flight: int) -> float:
    """Return the seconds of the bare loop, on the gateway's kind of event loop."""
    from assay.llm.runner import new_loop

    with asyncio.Runner(loop_factory=new_loop) as runner:
        began = time.perf_counter()
        runner.run(bare_loop(url, rows, in_flight))
        return time.perf_counter() - began


@contextmanager
def opened(url: str, in_flight: int) -> Iterator[Any]:
    """Yield a gateway on a fresh ledger, and the name of its model."""
    from assay.ledger import Ledger
    from assay.llm import Gateway
    from assay.llm.model import Capabilities, Limits
    from assay.llm.providers import connect

    with tempfile.TemporaryDirectory() as folder:
        model = connect(f"{url}#m")
        # One order of the options: one request a row, as the bare loop does.
        model.capabilities = Capabilities(choose="log-probabilities", parts=1, generate=True)
        with (
            Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
            Gateway(ledger, models={model.name: model}, limits=Limits(in_flight=in_flight)) as door,
        ):
            yield door, model.name


def gateway(url: str, rows: Rows, in_flight: int) -> float:
    """Return the seconds of the gateway."""
    with opened(url, in_flight) as (door, name):
        began = time.perf_counter()
        choices = door.choose(name, rows, OPTIONS)
        seconds = time.perf_counter() - began
    if not choices.complete:
        raise SystemExit(f"the gateway left rows: {list(choices.why.items())[:3]}")
    return seconds


def compare(url: str, count: int, in_flight: int, rounds: int) -> dict[str, Any]:
    """Interleave the bare loop and the gateway, then run the peers; return medians."""
    seconds: dict[str, list[float]] = {"bare": [], "gateway": []}
    gateway(url, Rows(in_flight, f"warm-{in_flight}"), in_flight)  # imports
    for index in range(rounds):
        rows = Rows(count, f"{in_flight}-{index}")
        seconds["bare"].append(bare(url, rows, in_flight))
        seconds["gateway"].append(gateway(url, rows, in_flight))
    ratios = [of / by for of, by in zip(seconds["bare"], seconds["gateway"], strict=True)]
    texts = [text_of("peers", index) for index in range(4 * in_flight)]
    return {
        "bare_per_second": round(count / statistics.median(seconds["bare"])),
        "gateway_per_second": round(count / statistics.median(seconds["gateway"])),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
        "ideal_per_second": round(in_flight / DELAY),
        "peers_per_second": rates(url, texts, in_flight),
    }


MEMORY = """
import sys
sys.path.insert(0, sys.argv[1])
import gateway
from common import peak_mebibytes
rows = int(sys.argv[3])
import assay.llm.gateway, assay.llm.providers, assay.ledger.calls, alembic.command, numpy
before = peak_mebibytes()
began = __import__("time").perf_counter()
if rows:
    gateway.scripted(rows)
after = peak_mebibytes()
print(before, after, __import__("time").perf_counter() - began)
"""


def scripted(count: int) -> None:
    """Ask a model that answers at once: what is measured is the gateway alone."""
    from assay.ledger import Ledger
    from assay.llm import Gateway, ScriptedModel

    class Forgetful(ScriptedModel):
        asked: Any = type("Nothing", (), {"append": lambda self, _: None})()

        def __setattr__(self, name: str, value: Any) -> None:
            if name != "asked":
                super().__setattr__(name, value)

    model = Forgetful(name="instant")
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "l.sqlite") as ledger,
        Gateway(ledger, models={model.name: model}) as door,
    ):
        if not door.choose(model.name, Rows(count, "m"), OPTIONS).complete:  # type: ignore[arg-type]
            raise SystemExit("rows are missing")


def memory(count: int) -> dict[str, Any]:
    """Return the peak memory of ``count`` rows above an interpreter with everything imported."""
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, here, "", str(count)],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after, seconds = map(float, done.stdout.split())
    return {
        "rows": count,
        "mebibytes_above_interpreter": round(after - before),
        "interpreter_mebibytes": round(before),
        "rows_per_second": round(count / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=int, default=5, help="of a run at the ideal rate")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--million", action="store_true", help="memory of a million rows")
    options = parser.parse_args()
    seconds, rounds = (1, 2) if options.quick else (options.seconds, options.rounds)
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("gateway_server.py"))],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        found: dict[str, Any] = {
            f"in_flight_{each}": compare(url, round(seconds * each / DELAY), each, rounds)
            for each in options.in_flight
        }
    finally:
        server.kill()
        server.wait()
    found["memory"] = memory(1_000_000 if options.million else 20_000)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
