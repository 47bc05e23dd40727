"""The server that benchmarks ask: each chat completion after 50 ms.

python benchmarks/gateway_server.py [--stories]     prints its port, and serves until it is killed

Every answer is the same, or with ``--stories`` a row of one text, no two alike.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count, repeat
from typing import Any

DELAY = 0.05
TOP = [{"token": "A", "logprob": -0.2}, {"token": "B", "logprob": -1.8}]
WORDS = '{"words": 3}'


def response(content: str) -> bytes:
    """Return a whole chat completion that says ``content``."""
    reply = json.dumps(
        {
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content},
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
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        + str(len(reply)).encode()
        + b"\r\n\r\n"
        + reply
    )


def stories() -> Iterator[bytes]:
    """Yield rows of one text for ever."""
    for number in count():
        told = f"Story {number}: {number * 7919} tonnes were shipped, {number * 31} more than told."
        yield response(json.dumps({"c0": told}))


answers: Iterator[bytes] = repeat(response(WORDS))


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
            self._transport.write(next(answers))


async def serve() -> None:
    """Serve until killed; print the port."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if "--stories" in sys.argv:
        answers = stories()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())
