"""What asking in batches costs this machine: time to pack and to collect, memory.

A server in another process takes files, and has answered each at once; so nothing here says how
long a provider takes. Two requests a row, as for a model with log-probabilities.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import arguments, peak_mebibytes, print_result

WORDS = "some plain words to be read by a model " * 10


def main() -> None:
    given = arguments(__doc__)
    count = 2000 if given.quick else 50_000
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        print_result(rows=count, requests=2 * count, **measured(port, count))
    finally:
        server.kill()
        server.communicate()


def measured(port: int, count: int) -> dict[str, float]:
    """Ask ``count`` rows; return seconds, and MiB above what was there before."""
    from assay.ledger import Ledger
    from assay.llm import Gateway, Prompt
    from assay.llm.batch import waiting

    waiting.FIRST_SECONDS = 0.01
    os.environ.pop("ASSAY_NO_REAL_MODELS", None)
    prompts = [Prompt("What is it about?", f"{n}: {WORDS}") for n in range(count)]
    name = f"http://127.0.0.1:{port}/v1#model"
    submitted: list[float] = []

    def progress(seen: Any) -> None:
        if "completed" in seen.what and not submitted:
            submitted.append(time.monotonic())

    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
        Gateway(ledger, batch=True, progress=progress) as gateway,
    ):
        gateway.choose(name, [Prompt("warm", "up")], ["sport", "money"])
        submitted.clear()
        before = peak_mebibytes()
        began = time.monotonic()
        assert gateway.choose(name, prompts, ["sport", "money"]).complete
        ended = time.monotonic()
    return {
        "submit_seconds": round(submitted[0] - began, 2),
        "collect_seconds": round(ended - submitted[0], 2),
        "mib": round(peak_mebibytes() - before, 1),
    }


async def serve() -> None:
    """Take files, and answer every request in them with the same tokens."""
    from aiohttp import web

    files: dict[str, bytes] = {}
    batches: list[dict[str, Any]] = []
    top = [{"token": "A", "logprob": -0.2}, {"token": "B", "logprob": -1.8}]
    choice = {
        "message": {"content": "A"},
        "logprobs": {"content": [{**top[0], "top_logprobs": top}]},
    }
    usage = {"prompt_tokens": 100, "completion_tokens": 1}
    response = {"status_code": 200, "body": {"choices": [choice], "usage": usage}}
    rest = json.dumps({"response": response, "error": None})[1:]

    async def take(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        name = f"file-{len(files)}"
        ids = (json.loads(line)["custom_id"] for line in file.file)
        files[name] = "\n".join(f'{{"custom_id": "{each}", {rest}' for each in ids).encode()
        return web.json_response({"id": name})

    async def create(request: web.Request) -> web.Response:
        body = await request.json()
        batches.append(
            {
                "id": f"batch-{len(batches)}",
                "status": "completed",
                "output_file_id": body["input_file_id"],
            }
        )
        return web.json_response(batches[-1])

    async def look(request: web.Request) -> web.Response:
        return web.json_response(batches[int(request.match_info["n"])])

    async def give(request: web.Request) -> web.Response:
        return web.Response(body=files[request.match_info["name"]])

    app = web.Application(client_max_size=2**29)
    app.router.add_post("/v1/files", take)
    app.router.add_post("/v1/batches", create)
    app.router.add_get("/v1/batches/batch-{n}", look)
    app.router.add_get("/v1/files/{name}/content", give)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)  # type: ignore[union-attr]
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main()
