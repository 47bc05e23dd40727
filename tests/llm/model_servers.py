"""HTTP servers that speak each provider's format strictly: what the real one refuses, they refuse.

A server decides an answer from the prompt: the option whose name is in the text is likeliest;
an object's field ``words`` is the number of words of the text.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from aiohttp import web

KEY = "test-key-0123456789"
Fault = Callable[[int, dict[str, Any]], Awaitable[web.StreamResponse | None]]


class ModelServer:
    """One server in a thread of its own.

    Attributes
    ----------
    received
        Every body that came, in order.
    answered
        How many requests were answered with a success.
    fault
        Called with the request's number (from 1) and body; what it returns is sent instead.
    delay
        Seconds before an answer.
    replays
        Whether a request with a known idempotency key gets its first answer again, uncounted.
    """

    routes: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answered = 0
        self.texts: Counter[str] = Counter()
        self.fault: Fault | None = None
        self.delay = 0.0
        self.replays = False
        self.most_in_flight = 0
        self._in_flight = 0
        self._replies: dict[str, dict[str, Any]] = {}
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def add_routes(self, app: web.Application) -> None:
        """Serve more than questions."""

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self) -> None:
        await self._runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)

        async def start() -> None:
            app = web.Application(client_max_size=2**24)
            for path, name in self.routes.items():
                app.router.add_post(path, self._handler(getattr(self, name)))
            self.add_routes(app)
            self._runner = web.AppRunner(app, shutdown_timeout=0.1)
            await self._runner.setup()
            site = web.TCPSite(self._runner, "127.0.0.1", 0)
            await site.start()
            self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            ready.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()
        self._loop.close()

    def _handler(
        self, answer: Callable[[web.Request, dict[str, Any]], dict[str, Any]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            try:
                return await self._answer(request, answer)
            except RefusalError as refusal:
                return web.json_response(self.refusal(refusal), status=refusal.status)
            finally:
                self._in_flight -= 1

        return handle

    async def _answer(
        self,
        request: web.Request,
        answer: Callable[[web.Request, dict[str, Any]], dict[str, Any]],
    ) -> web.StreamResponse:
        if request.content_type != "application/json":
            raise RefusalError(415, "content-type must be application/json")
        self.check_key(request)
        body = json.loads(await request.read())
        self.received.append(body)
        number = len(self.received)
        if self.fault is not None:
            instead = await self.fault(number, body)
            if instead is not None:
                return instead
        if self.delay:
            await asyncio.sleep(self.delay)
        replay = request.headers.get("Idempotency-Key") if self.replays else None
        if replay is not None and replay in self._replies:
            return web.json_response(self._replies[replay])
        reply = answer(request, body)
        self.answered += 1
        if replay is not None:
            self._replies[replay] = reply
        return web.json_response(reply)

    def check_key(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise RefusalError(401, "Incorrect API key provided", code="invalid_api_key")

    def refusal(self, refusal: RefusalError) -> dict[str, Any]:
        return {"error": {"message": str(refusal), "type": "invalid_request_error", "param": None,
                          "code": refusal.code}}  # fmt: skip


class RefusalError(Exception):
    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def only(body: dict[str, Any], required: set[str], optional: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Refuse missing and unknown fields, as strict servers do."""
    missing, unknown = required - set(body), set(body) - required - set(optional)
    if missing or unknown:
        raise RefusalError(400, f"missing {sorted(missing)}, unknown {sorted(unknown)}")


def check_turns(turns: list[dict[str, Any]], roles: tuple[str, str], field: str) -> str:
    """Refuse turns that do not alternate and end with the user; return the last text."""
    for index, turn in enumerate(turns):
        only(turn, {"role", field})
        if turn["role"] != roles[index % 2]:
            raise RefusalError(400, "roles must alternate")
    if not turns or turns[-1]["role"] != roles[0]:
        raise RefusalError(400, "the last turn must be the user's")
    content = turns[-1][field]
    return content if isinstance(content, str) else content[0]["text"]


def check_strict(schema: Any) -> None:
    """Refuse a schema that strict mode refuses."""
    if isinstance(schema, list):
        for each in schema:
            check_strict(each)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            if schema.get("additionalProperties") is not False:
                raise RefusalError(400, "additionalProperties must be false")
            if set(schema.get("required", [])) != set(schema.get("properties", {})):
                raise RefusalError(400, "every property must be required")
        if "default" in schema:
            raise RefusalError(400, "default is not permitted")
        for each in schema.values():
            check_strict(each)


def chances(system: str, text: str) -> dict[str, float]:
    """Return log-probabilities of codes: 0.7 for the option named in the text."""
    options = dict(re.findall(r"^([A-Z]|\d+): (.+)$", system, re.M))
    named = [code for code, option in options.items() if option in text] or list(options)
    rest = [code for code in options if code not in named]
    shares = {code: 0.7 / len(named) for code in named}
    shares |= {code: 0.2 / len(rest) for code in rest}
    return {code: math.log(share) for code, share in shares.items()}


def object_for(schema: dict[str, Any], system: str, text: str) -> dict[str, Any]:
    """Return an object: the likeliest code where a code is asked, else the count of words."""
    if "code" in schema.get("properties", {}):
        shares = chances(system, text)
        return {"code": max(shares, key=shares.__getitem__)}
    return {"words": len(text.split())}


class OpenAIServer(ModelServer):
    routes: ClassVar = {
        "/v1/chat/completions": "chat",
        "/v1/responses": "respond",
        "/v1/embeddings": "embed",
    }
    tokens_field = "max_completion_tokens"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def chat(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        optional = {"temperature", "logprobs", "top_logprobs", "response_format", "tools"}
        only(body, {"model", "messages", self.tokens_field}, {*optional, "tool_choice"})
        if body["model"] != "good":
            raise RefusalError(404, f"The model {body['model']} does not exist", "model_not_found")
        messages = list(body["messages"])
        system = messages.pop(0)["content"] if messages[0]["role"] == "system" else ""
        text = check_turns(messages, ("user", "assistant"), "content")
        self.texts[text] += 1
        message: dict[str, Any] = {"role": "assistant", "content": "A", "refusal": None}
        choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
        if "response_format" in body:
            form = body["response_format"]["json_schema"]
            only(form, {"name", "schema", "strict"})
            check_strict(form["schema"])
            message["content"] = json.dumps(object_for(form["schema"], system, text))
        elif "tools" in body:
            schema = body["tools"][0]["function"]["parameters"]
            arguments = json.dumps(object_for(schema, system, text))
            function = {"name": "answer", "arguments": arguments}
            message["tool_calls"] = [{"id": "c", "type": "function", "function": function}]
        if body.get("top_logprobs") is not None:
            if not body.get("logprobs") or not 0 <= body["top_logprobs"] <= 20:
                raise RefusalError(400, "top_logprobs must be 0 to 20, with logprobs")
            shares = sorted(chances(system, text).items(), key=lambda each: -each[1])
            top = [{"token": code, "logprob": share, "bytes": list(code.encode())}
                   for code, share in shares][: body["top_logprobs"]]  # fmt: skip
            choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        used = sum(len(each["content"].split()) for each in body["messages"])
        usage = {"prompt_tokens": used, "completion_tokens": 1, "total_tokens": used + 1}
        return {"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}

    def respond(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        only(body, {"model", "input", "instructions", "max_output_tokens", "store"},
             {"temperature", "top_logprobs", "include", "text"})  # fmt: skip
        if body["max_output_tokens"] < 16:
            raise RefusalError(400, "max_output_tokens must be at least 16")
        text = check_turns(list(body["input"]), ("user", "assistant"), "content")
        system = body["instructions"]
        part: dict[str, Any] = {"type": "output_text", "text": "A", "annotations": []}
        if "text" in body:
            form = body["text"]["format"]
            only(form, {"type", "name", "strict", "schema"})
            check_strict(form["schema"])
            part["text"] = json.dumps(object_for(form["schema"], system, text))
        if body.get("top_logprobs"):
            if body.get("include") != ["message.output_text.logprobs"]:
                raise RefusalError(400, "top_logprobs needs include")
            top = [
                {"token": code, "logprob": share} for code, share in chances(system, text).items()
            ]
            part["logprobs"] = [{**top[0], "top_logprobs": top}]
        usage = {"input_tokens": len(text.split()), "output_tokens": 1}
        output = [{"type": "reasoning", "summary": []}, {"type": "message", "content": [part]}]
        return {"id": "x", "status": "completed", "output": output, "usage": usage}

    def embed(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        only(body, {"model", "input"}, {"encoding_format"})
        data = [{"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0]}
                for index, text in enumerate(body["input"])]  # fmt: skip
        return {
            "data": data[::-1],
            "usage": {"prompt_tokens": len(data), "total_tokens": len(data)},
        }


class CompatibleServer(OpenAIServer):
    """As the servers that copy OpenAI: they know only ``max_tokens``."""

    tokens_field = "max_tokens"


class AnthropicServer(ModelServer):
    routes: ClassVar = {"/v1/messages": "messages"}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def check_key(self, request: web.Request) -> None:
        if request.headers.get("x-api-key") != KEY:
            raise RefusalError(401, "invalid x-api-key", "authentication_error")
        if request.headers.get("anthropic-version") != "2023-06-01":
            raise RefusalError(400, "anthropic-version is required")

    def refusal(self, refusal: RefusalError) -> dict[str, Any]:
        kind = refusal.code or "invalid_request_error"
        return {"type": "error", "error": {"type": kind, "message": str(refusal)}}

    def messages(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        only(body, {"model", "max_tokens", "messages"},
             {"system", "tools", "tool_choice", "temperature"})  # fmt: skip
        text = check_turns(list(body["messages"]), ("user", "assistant"), "content")
        tool = body["tools"][0]
        only(tool, {"name", "description", "input_schema"})
        if body["tool_choice"] != {"type": "tool", "name": tool["name"]}:
            raise RefusalError(400, "tool_choice does not name the tool")
        value = object_for(tool["input_schema"], body.get("system", ""), text)
        content = [{"type": "tool_use", "id": "t", "name": tool["name"], "input": value}]
        usage = {"input_tokens": len(text.split()), "output_tokens": 5}
        return {"type": "message", "role": "assistant", "content": content,
                "stop_reason": "tool_use", "usage": usage}  # fmt: skip


class GeminiServer(ModelServer):
    routes: ClassVar = {
        "/v1beta/models/good:generateContent": "generate",
        "/v1beta/models/good:batchEmbedContents": "embed",
    }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1beta"

    def check_key(self, request: web.Request) -> None:
        if request.headers.get("x-goog-api-key") != KEY:
            raise RefusalError(403, "API key not valid", "PERMISSION_DENIED")

    def refusal(self, refusal: RefusalError) -> dict[str, Any]:
        return {
            "error": {"code": refusal.status, "message": str(refusal), "status": "INVALID_ARGUMENT"}
        }

    def generate(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        only(body, {"contents", "generationConfig"}, {"systemInstruction"})
        text = check_turns(list(body["contents"]), ("user", "model"), "parts")
        system = body.get("systemInstruction", {"parts": [{"text": ""}]})["parts"][0]["text"]
        settings = body["generationConfig"]
        only(settings, {"maxOutputTokens"}, {"temperature", "responseLogprobs", "logprobs",
                                             "responseMimeType", "responseJsonSchema"})  # fmt: skip
        candidate: dict[str, Any] = {"finishReason": "STOP"}
        answer = "A"
        if "responseJsonSchema" in settings:
            if settings.get("responseMimeType") != "application/json":
                raise RefusalError(400, "responseMimeType must be application/json")
            answer = json.dumps(object_for(settings["responseJsonSchema"], system, text))
        if settings.get("logprobs"):
            if not settings.get("responseLogprobs"):
                raise RefusalError(400, "logprobs needs responseLogprobs")
            top = [{"token": code, "logProbability": share}
                   for code, share in chances(system, text).items()]  # fmt: skip
            candidate["logprobsResult"] = {"topCandidates": [{"candidates": top}]}
        candidate["content"] = {"role": "model", "parts": [{"text": answer}]}
        usage = {"promptTokenCount": len(text.split()), "candidatesTokenCount": 1}
        return {"candidates": [candidate], "usageMetadata": usage}

    def embed(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        only(body, {"requests"})
        values = []
        for each in body["requests"]:
            only(each, {"model", "content"})
            values.append({"values": [float(len(each["content"]["parts"][0]["text"])), 1.0]})
        return {"embeddings": values}
