"""HTTP servers that speak each provider's batch format strictly, on top of its live format.

A batch goes one state further at each look at it, and stays at work while ``held``.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import web
from model_servers import AnthropicServer, CompatibleServer, OpenAIServer, RefusalError, only

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Between = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


class BatchHost:
    """What both share: requests kept by batch, a switch to hold them at work.

    Attributes
    ----------
    held
        Whether batches stay at work.
    processed
        How many rows a batch gets through before it expires; None for all.
    missing, twice
        Texts whose results are left out, or given two times.
    objects
        Called with a request's body; an object that it returns is the answer's.
    between
        Called with each request and what would answer it; answers in its place.
    asked, tokens
        How often each text was answered; tokens read and written by all.
    """

    def start_batches(self) -> None:
        self.batches: dict[str, dict[str, Any]] = {}
        self.held = False
        self.processed: int | None = None
        self.missing: set[str] = set()
        self.twice: set[str] = set()
        self.objects: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda body: None
        self.between: Between = lambda request, handle: handle(request)
        self.looks = 0
        self.tokens = [0, 0]
        self.asked: Counter[str] = Counter()

    def strict(self, handle: Handler) -> Handler:
        """Check the key, and answer refusals as the provider does."""

        async def checked(request: web.Request) -> web.StreamResponse:
            try:
                self.check_key(request)  # type: ignore[attr-defined]
                return await self.between(request, handle)
            except RefusalError as refusal:
                body = self.refusal(refusal)  # type: ignore[attr-defined]
                return web.json_response(body, status=refusal.status)

        return checked

    def found(self, request: web.Request) -> dict[str, Any]:
        name = request.match_info["batch"]
        if name not in self.batches:
            raise RefusalError(404, f"No batch found with id {name}", "not_found_error")
        return self.batches[name]

    def page(self, request: web.Request, after: str, most: int) -> tuple[list[str], bool]:
        limit = int(request.query.get("limit", 20))
        if not 1 <= limit <= most or set(request.query) - {"limit", after}:
            raise RefusalError(400, "limit or cursor is not usable")
        names = list(self.batches)[::-1]
        cursor = request.query.get(after)
        if cursor is not None:
            names = names[names.index(cursor) + 1 :]
        return names[:limit], len(names) > limit

    def paid(self, body: dict[str, Any], read: int, written: int) -> None:
        self.asked[_last_text(body)] += 1
        self.tokens[0] += read
        self.tokens[1] += written


class OpenAIBatchServer(BatchHost, OpenAIServer):
    most_rows: ClassVar = 50_000
    most_bytes: ClassVar = 200_000_000

    def __init__(self) -> None:
        self.start_batches()
        self.files: dict[str, bytes] = {}
        self.failure: dict[str, Any] | None = None
        super().__init__()

    def add_routes(self, app: web.Application) -> None:
        app._client_max_size = 2**28
        for method, path, handle in (
            ("POST", "/v1/files", self.take_file),
            ("GET", "/v1/files/{file}/content", self.give_file),
            ("POST", "/v1/batches", self.create),
            ("GET", "/v1/batches", self.list),
            ("GET", "/v1/batches/{batch}", self.look),
            ("POST", "/v1/batches/{batch}/cancel", self.cancel),
        ):
            app.router.add_route(method, path, self.strict(handle))

    async def take_file(self, request: web.Request) -> web.StreamResponse:
        if not request.content_type.startswith("multipart/form-data"):
            raise RefusalError(400, "files are sent as multipart/form-data")
        form = await request.post()
        only(dict(form), {"purpose", "file"})
        if form["purpose"] != "batch":
            raise RefusalError(400, "purpose must be batch")
        file = form["file"]
        assert isinstance(file, web.FileField)
        content = file.file.read()
        if not file.filename.endswith(".jsonl") or not content:
            raise RefusalError(400, "a batch's file must be JSONL, and not empty")
        if len(content) > self.most_bytes:
            raise RefusalError(413, "the file is too large")
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return web.json_response({"id": name, "object": "file", "purpose": "batch",
                                  "bytes": len(content), "filename": file.filename})  # fmt: skip

    async def give_file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if name not in self.files:
            raise RefusalError(404, "No such File object")
        return web.Response(body=self.files[name], content_type="application/octet-stream")

    async def create(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        only(body, {"input_file_id", "endpoint", "completion_window"}, {"metadata"})
        if body["completion_window"] != "24h" or body["input_file_id"] not in self.files:
            raise RefusalError(400, "completion_window or input_file_id is not usable")
        if body["endpoint"] not in ("/v1/chat/completions", "/v1/responses", "/v1/embeddings"):
            raise RefusalError(400, "endpoint is not usable")
        metadata = body.get("metadata") or {}
        if len(metadata) > 16 or not all(
            isinstance(value, str) and len(name) <= 64 and len(value) <= 512
            for name, value in metadata.items()
        ):
            raise RefusalError(400, "metadata is not usable")
        name = f"batch_{len(self.batches)}"
        self.batches[name] = {
            "id": name, "object": "batch", "status": "validating", "errors": None,
            "created_at": int(datetime.now(UTC).timestamp()), "request_counts": None,
            "output_file_id": None, "error_file_id": None, **body,
        }  # fmt: skip
        return web.json_response(self.batches[name])

    async def list(self, request: web.Request) -> web.StreamResponse:
        names, more = self.page(request, "after", 100)
        data = [self.batches[name] for name in names]
        return web.json_response({"object": "list", "data": data, "has_more": more})

    async def look(self, request: web.Request) -> web.StreamResponse:
        self.looks += 1
        batch = self.found(request)
        if batch["status"] == "validating":
            self.validate(batch)
        elif batch["status"] == "in_progress" and not self.held:
            batch["status"] = "finalizing"
        elif batch["status"] in ("finalizing", "cancelling"):
            self.finish(batch)
        return web.json_response(batch)

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        batch = self.found(request)
        if batch["status"] not in ("validating", "in_progress", "finalizing"):
            raise RefusalError(409, f"Cannot cancel a batch that is {batch['status']}")
        batch["status"] = "cancelling"
        return web.json_response(batch)

    def rows(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]

    def validate(self, batch: dict[str, Any]) -> None:
        rows = self.rows(batch)
        try:
            for row in rows:
                only(row, {"custom_id", "method", "url", "body"})
                if row["method"] != "POST" or row["url"] != batch["endpoint"]:
                    raise RefusalError(400, "method or url is not usable", "invalid_url")
            if len({row["custom_id"] for row in rows}) < len(rows):
                raise RefusalError(400, "custom_id is not unique", "duplicate_custom_id")
            if len({row["body"]["model"] for row in rows}) > 1 or len(rows) > self.most_rows:
                raise RefusalError(400, "several models, or too many rows", "too_many")
            if self.failure is not None:
                raise RefusalError(400, self.failure["message"], self.failure["code"])
        except RefusalError as refusal:
            told = {"code": refusal.code, "message": str(refusal), "line": None, "param": None}
            batch["status"] = "failed"
            batch["errors"] = {"object": "list", "data": [told]}
            return
        batch["status"] = "in_progress"
        batch["request_counts"] = {"total": len(rows), "completed": 0, "failed": 0}

    def finish(self, batch: dict[str, Any]) -> None:
        done, errors = [], []
        rows = self.rows(batch)
        cancelled = batch["status"] == "cancelling"
        most = self.processed if self.processed is not None or not cancelled else 0
        for number, row in enumerate(rows):
            name = row["custom_id"]
            if most is not None and number >= most:
                word = "cancelled" if cancelled else "expired"
                error = {"code": f"batch_{word}", "message": f"{word} before it was run"}
                errors.append({"id": "r", "custom_id": name, "response": None, "error": error})
                continue
            status, answer = self.answer(row["body"], batch["endpoint"])
            response = {"status_code": status, "request_id": "q", "body": answer}
            line = {"id": "r", "custom_id": name, "response": response, "error": None}
            (done if status == 200 else errors).append(line)
            text = _last_text(row["body"])
            if text in self.missing:
                done.pop()
            if text in self.twice:
                done.append(line)
        ended = most is not None and most < len(rows)
        batch["status"] = "completed" if not ended else "cancelled" if cancelled else "expired"
        batch["request_counts"] = {
            "total": len(rows), "completed": len(done), "failed": len(errors)
        }  # fmt: skip
        random.Random(0).shuffle(done)
        for kind, lines in (("output_file_id", done), ("error_file_id", errors)):
            if lines:
                batch[kind] = f"file-{batch['id']}-{kind}"
                self.files[batch[kind]] = "\n".join(map(json.dumps, lines)).encode()

    def answer(self, body: dict[str, Any], endpoint: str) -> tuple[int, dict[str, Any]]:
        live = self.chat if endpoint == "/v1/chat/completions" else self.respond
        try:
            reply = live(None, body)  # type: ignore[arg-type]
        except RefusalError as refusal:
            return refusal.status, self.refusal(refusal)
        value = self.objects(body)
        if value is not None:
            reply["choices"][0]["message"]["content"] = json.dumps(value)
        usage = reply["usage"]
        self.paid(
            body,
            usage.get("prompt_tokens", usage.get("input_tokens")),
            usage.get("completion_tokens", usage.get("output_tokens")),
        )
        return 200, reply


class CompatibleBatchServer(OpenAIBatchServer):
    tokens_field = CompatibleServer.tokens_field


class AnthropicBatchServer(BatchHost, AnthropicServer):
    most_rows: ClassVar = 100_000
    most_bytes: ClassVar = 256_000_000

    def __init__(self) -> None:
        self.start_batches()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.results: dict[str, bytes] = {}
        super().__init__()

    def add_routes(self, app: web.Application) -> None:
        app._client_max_size = 2**28
        for method, path, handle in (
            ("POST", "/v1/messages/batches", self.create),
            ("GET", "/v1/messages/batches", self.list),
            ("GET", "/v1/messages/batches/{batch}", self.look),
            ("GET", "/v1/messages/batches/{batch}/results", self.give_results),
            ("POST", "/v1/messages/batches/{batch}/cancel", self.cancel),
        ):
            app.router.add_route(method, path, self.strict(handle))

    async def create(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if request.content_type != "application/json" or len(raw) > self.most_bytes:
            raise RefusalError(413, "not JSON, or too large", "request_too_large")
        body = json.loads(raw)
        only(body, {"requests"})
        requests = body["requests"]
        for each in requests:
            only(each, {"custom_id", "params"})
            if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each["custom_id"]):
                raise RefusalError(400, "custom_id is not usable")
        if not 1 <= len(requests) <= self.most_rows:
            raise RefusalError(400, "too few or too many requests")
        if len({each["custom_id"] for each in requests}) < len(requests):
            raise RefusalError(400, "custom_id is not unique")
        name = f"msgbatch_{len(self.batches)}"
        self.rows[name] = requests
        kinds = ("processing", "succeeded", "errored", "canceled", "expired")
        self.batches[name] = {
            "id": name, "type": "message_batch", "processing_status": "in_progress",
            "request_counts": dict.fromkeys(kinds, 0) | {"processing": len(requests)},
            "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "ended_at": None, "cancel_initiated_at": None, "archived_at": None,
            "results_url": None,
        }  # fmt: skip
        return web.json_response(self.batches[name])

    async def list(self, request: web.Request) -> web.StreamResponse:
        names, more = self.page(request, "after_id", 1000)
        data = [self.batches[name] for name in names]
        ends = {"first_id": names[0], "last_id": names[-1]} if names else {}
        return web.json_response({"data": data, "has_more": more, **ends})

    async def look(self, request: web.Request) -> web.StreamResponse:
        self.looks += 1
        batch = self.found(request)
        working = batch["processing_status"] in ("in_progress", "canceling")
        if working and not (self.held and batch["processing_status"] == "in_progress"):
            self.finish(batch)
        return web.json_response(batch)

    async def give_results(self, request: web.Request) -> web.StreamResponse:
        batch = self.found(request)
        if batch["results_url"] is None:
            raise RefusalError(404, "no results yet", "not_found_error")
        return web.Response(body=self.results[batch["id"]], content_type="application/x-jsonl")

    async def cancel(self, request: web.Request) -> web.StreamResponse:
        batch = self.found(request)
        if batch["processing_status"] == "ended":
            raise RefusalError(400, "the batch has ended")
        batch["processing_status"] = "canceling"
        return web.json_response(batch)

    def finish(self, batch: dict[str, Any]) -> None:
        lines = []
        counts = dict.fromkeys(batch["request_counts"], 0)
        canceled = batch["processing_status"] == "canceling"
        most = self.processed if self.processed is not None or not canceled else 0
        for number, row in enumerate(self.rows[batch["id"]]):
            if most is not None and number >= most:
                result: dict[str, Any] = {"type": "canceled" if canceled else "expired"}
            else:
                result = self.answer(row["params"])
            counts[result["type"]] += 1
            text = _last_text(row["params"])
            line = {"custom_id": row["custom_id"], "result": result}
            lines += [line] * (0 if text in self.missing else 2 if text in self.twice else 1)
        random.Random(0).shuffle(lines)
        name = batch["id"]
        self.results[name] = "\n".join(map(json.dumps, lines)).encode()
        batch["processing_status"] = "ended"
        batch["request_counts"] = counts
        batch["results_url"] = f"https://elsewhere.invalid/v1/messages/batches/{name}/results"

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            message = self.messages(None, body)  # type: ignore[arg-type]
        except RefusalError as refusal:
            return {"type": "errored", "error": self.refusal(refusal)}
        value = self.objects(body)
        if value is not None:
            message["content"][0]["input"] = value
        self.paid(body, message["usage"]["input_tokens"], message["usage"]["output_tokens"])
        return {"type": "succeeded", "message": message}


def _last_text(body: dict[str, Any]) -> str:
    turns = body.get("messages") or body.get("input")
    assert isinstance(turns, list)
    return str(turns[-1]["content"])
