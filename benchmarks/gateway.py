"""The gateway against a bare aiohttp loop, and its peers where they are installed.

    python benchmarks/gateway.py [--quick] [--rows N] [--in-flight 64 256] [--million]

A server in a process of its own answers each chat completion after 50 ms. In every round the
bare loop (which keeps nothing and checks nothing) and the gateway (journal on, a real SQLite
ledger) ask the same rows with the same number in flight; the ratio is the median over rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, overload

DELAY = 0.05
OPTIONS = ("sport", "money")
TOP = [{"token": "A", "logprob": -0.2}, {"token": "B", "logprob": -1.8}]
REPLY = json.dumps(
    {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": '{"words": 3}'},
                "finish_reason": "stop",
                "logprobs": {"content": [{**TOP[0], "top_logprobs": TOP}]},
            }
        ],
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "usage": {"prompt_tokens": 60, "completion_tokens": 1, "total_tokens": 61},
    }
).encode()
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    + str(len(REPLY)).encode()
    + b"\r\n\r\n"
    + REPLY
)


class Answering(asyncio.Protocol):
    """The least HTTP server that a client takes for a real one."""

    def connection_made(self, transport: Any) -> None:
        """Keep the way back."""
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is whole."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        if len(rest) >= length:
            self._buffer = rest[length:]
            asyncio.get_running_loop().call_later(DELAY, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(RESPONSE)


async def serve() -> None:
    """Serve until killed; print the port."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


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
        return Prompt("Say what it is about.", f"{self._tag} {index}: a text of some length " * 4)


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


def bare(url: str, rows: Rows, in_flight: int) -> None:
    asyncio.run(bare_loop(url, rows, in_flight))


def gateway(url: str, rows: Rows, in_flight: int) -> None:
    """Ask all rows through the gateway, in a fresh ledger."""
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
            choices = door.choose(model.name, rows, OPTIONS)  # type: ignore[arg-type]
            if not choices.complete:
                raise SystemExit(f"the gateway left rows: {list(choices.why.items())[:3]}")


def openai_sdk(url: str, rows: Rows, in_flight: int) -> None:
    """Ask all rows through the openai SDK."""
    import openai

    async def run() -> None:
        left = iter(range(len(rows)))
        async with openai.AsyncOpenAI(base_url=url, api_key="x", max_retries=2) as client:

            async def work() -> None:
                for index in left:
                    prompt = rows[index]
                    await client.chat.completions.create(
                        model="m",
                        messages=[
                            {"role": "system", "content": prompt.instructions},
                            {"role": "user", "content": prompt.text},
                        ],
                        max_tokens=1,
                        temperature=0,
                        logprobs=True,
                        top_logprobs=20,
                    )

            await asyncio.gather(*(work() for _ in range(in_flight)))

    asyncio.run(run())


def pydantic_ai(url: str, rows: Rows, in_flight: int) -> None:
    """Ask all rows through a pydantic-ai agent."""
    from pydantic_ai import Agent  # type: ignore[import-not-found, unused-ignore]
    from pydantic_ai.models.openai import (  # type: ignore[import-not-found, unused-ignore]
        OpenAIChatModel,
    )
    from pydantic_ai.providers.openai import (  # type: ignore[import-not-found, unused-ignore]
        OpenAIProvider,
    )

    async def run() -> None:
        left = iter(range(len(rows)))
        model = OpenAIChatModel("m", provider=OpenAIProvider(base_url=url, api_key="x"))
        agent = Agent(model, instructions="Say what it is about.")

        async def work() -> None:
            for index in left:
                await agent.run(rows[index].text)

        await asyncio.gather(*(work() for _ in range(in_flight)))

    asyncio.run(run())


PEERS: dict[str, Callable[[str, Rows, int], None]] = {
    "openai": openai_sdk,
    "pydantic-ai-slim": pydantic_ai,
}


def rate(ask: Callable[[str, Rows, int], None], url: str, rows: Rows, in_flight: int) -> float:
    """Return rows a second."""
    began = time.perf_counter()
    ask(url, rows, in_flight)
    return len(rows) / (time.perf_counter() - began)


def compare(url: str, count: int, in_flight: int, rounds: int) -> dict[str, Any]:
    """Interleave the bare loop, the gateway and the peers; return medians."""
    rates: dict[str, list[float]] = {"bare": [], "gateway": []}
    ratios = []
    gateway(url, Rows(in_flight, f"warm-{in_flight}"), in_flight)  # imports
    for index in range(rounds):
        rows = Rows(count, f"{in_flight}-{index}")
        rates["bare"].append(rate(bare, url, rows, in_flight))
        rates["gateway"].append(rate(gateway, url, rows, in_flight))
        ratios.append(rates["gateway"][-1] / rates["bare"][-1])
    peers: dict[str, float] = {}
    for name, ask in PEERS.items():
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        peers[name] = round(rate(ask, url, Rows(max(count // 8, 2 * in_flight), name), in_flight))
    return {
        "bare_per_second": round(statistics.median(rates["bare"])),
        "gateway_per_second": round(statistics.median(rates["gateway"])),
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(each, 3) for each in ratios],
        "ideal_per_second": round(in_flight / DELAY),
        "peers_per_second": peers,
    }


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import gateway
rows = int(sys.argv[3])
import assay.llm.gateway, assay.llm.providers, assay.ledger.calls, alembic.command, numpy
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = __import__("time").perf_counter()
if rows:
    gateway.scripted(rows)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(before / 1024, after / 1024, __import__("time").perf_counter() - began)
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
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--million", action="store_true", help="memory of a million rows")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    count, rounds = (1500, 2) if options.quick else (options.rows, options.rounds)
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        found: dict[str, Any] = {
            f"in_flight_{each}": compare(url, count, each, rounds) for each in options.in_flight
        }
    finally:
        server.kill()
        server.wait()
    found["memory"] = memory(1_000_000 if options.million else 20_000)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
