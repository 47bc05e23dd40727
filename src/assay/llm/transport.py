"""HTTP to a model's server: one session, an allow-list of hosts, and errors told apart."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pydantic_core import from_json
from yarl import URL

from assay.llm.allowance import Allowance, allowances, wait_of
from assay.llm.model import AskError, HopelessError, RowError, TransientError

MAX_BYTES = 64 * 2**20
"""A longer response is refused: a server that never ends must not fill the memory."""

_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size)|too long|too many tokens|maximum.{0,20}tokens", re.I
)
_NO_MONEY = re.compile(r"insufficient_quota|billing|credit balance", re.I)


class GuardedConnector(aiohttp.TCPConnector):
    """A connector that opens connections to allowed hosts only, redirects and proxies included."""

    def __init__(self, hosts: frozenset[str], **settings: Any) -> None:
        super().__init__(**settings)
        self._hosts = hosts

    async def connect(self, req: Any, *rest: Any, **named: Any) -> Any:
        """Refuse a host that is not on the list."""
        if req.url.host not in self._hosts:
            raise HopelessError(
                f"The host {req.url.host} is not on the list of allowed hosts.", kind="host"
            )
        return await super().connect(req, *rest, **named)


class Connection:
    """Requests to one server.

    Parameters
    ----------
    base
        URL that every path is appended to.
    headers
        Sent with every request; the key is among them, so they are never shown.
    secret_from
        The environment variable that held the key, for error messages.
    seconds
        Most seconds of a request, from connecting to the last byte.
    hosts
        Further allowed hosts.

    Attributes
    ----------
    allowances
        What the latest response said of the server's limits.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        *,
        secret_from: str | None = None,
        seconds: float = 120.0,
        hosts: frozenset[str] = frozenset(),
    ) -> None:
        self.allowances: tuple[Allowance, ...] = ()
        self.base = base.rstrip("/")
        self.host = URL(base).host or ""
        self._headers = dict(headers)
        self._secret_from = secret_from or "the key's place in the environment"
        self._seconds = seconds
        self._hosts = hosts | {self.host}
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}
        self._proxy: str | None = None

    async def post(
        self, path: str, body: bytes, *, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send JSON and return the JSON of a success; raise the `AskError` that fits otherwise."""
        try:
            async with self._opened().post(
                self._url(path),
                data=body,
                headers=headers,
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                raw = await _read(response)
                self.allowances = allowances(response.headers)
                return self._understood(response, raw)
        except AskError:
            raise
        except aiohttp.ClientSSLError as error:
            raise HopelessError(
                f"The TLS connection to {self.host} failed: {_tls_problem(error)}. Check the"
                " certificate, this machine's clock and any proxy.",
                kind="tls",
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise TransientError(
                f"{self.host} cannot be reached: {error.strerror or 'connection refused'}.",
                kind="unreachable",
                reached=False,
            ) from error
        except TimeoutError as error:
            raise TransientError(
                f"{self.host} gave no whole answer in {self._seconds:g} s.",
                kind="timeout",
                reached=False,
            ) from error
        except aiohttp.ClientError as error:
            raise TransientError(
                f"The connection to {self.host} broke: {type(error).__name__}.", kind="broken"
            ) from error

    @asynccontextmanager
    async def send(
        self, method: str, path: str, **sent: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send anything and yield a success, its body unread; for files."""
        async with self._opened().request(
            method, self._url(path), proxy=self._proxy, allow_redirects=False, **sent
        ) as response:
            if response.status != 200:
                self._understood(response, await _read(response))
            yield response

    def refusal(self, status: int, body: Any) -> AskError:
        """Return the error that a response of that status and JSON stands for."""
        return self._error(status, _told(body), {})

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)
            self._session = None

    def _url(self, path: str) -> URL:
        found = self._urls.get(path)
        if found is None:
            found = self._urls[path] = URL(self.base + path)
        return found

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=GuardedConnector(self._hosts, limit=0, ttl_dns_cache=300),
                headers={"Content-Type": "application/json", **self._headers},
                timeout=aiohttp.ClientTimeout(total=self._seconds, sock_connect=15),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._proxy = _proxy_for(self.base)
        return self._session

    def _understood(self, response: aiohttp.ClientResponse, raw: bytes) -> dict[str, Any]:
        status = response.status
        try:
            body = from_json(raw)
        except ValueError:
            body = None
        if status == 200 and isinstance(body, dict) and not body.get("error"):
            return body
        if status == 200 and body is None:
            raise TransientError(
                f"{self.host} answered with something that is not JSON"
                f" ({response.content_type}). Is this the right address?",
                kind="not JSON",
                reached="json" in response.content_type,
            )
        told = _told(body)
        if status == 200:
            status = _status_inside(body)
        raise self._error(status, told, response.headers)

    def _error(self, status: int, told: str, headers: Mapping[str, str]) -> AskError:
        said = f" It said: {told}" if told else ""
        if status in (401, 403):
            return HopelessError(
                f"{self.host} refused the key ({status}). Check {self._secret_from}.", kind="key"
            )
        if status == 404:
            return HopelessError(
                f"{self.host} knows no such model or path (404).{said}", kind="model"
            )
        if 300 <= status < 400:
            return HopelessError(
                f"{self.host} redirects elsewhere ({status}); redirects are not followed.",
                kind="redirect",
            )
        if status == 402 or (status == 429 and _NO_MONEY.search(told)):
            return HopelessError(f"{self.host} wants payment ({status}).{said}", kind="payment")
        if status in (408, 409, 425, 429) or status >= 500:
            kind = "rate" if status == 429 else f"status {status}"
            return TransientError(
                f"{self.host} is busy or unwell ({status}).{said}", kind=kind, wait=wait_of(headers)
            )
        if status == 413 or _TOO_LONG.search(told):
            return RowError(f"The text is too long for the model.{said}", kind="too long")
        return RowError(f"{self.host} refused the request ({status}).{said}", kind="refused")


def _tls_problem(error: aiohttp.ClientSSLError) -> str:
    """Return what is wrong with the certificate, such as ``certificate is not yet valid``."""
    inner = getattr(error, "certificate_error", None)
    return getattr(inner, "verify_message", None) or type(error).__name__


def _proxy_for(base: str) -> str | None:
    """Return the proxy that the environment names for an address; asked once, for it is slow."""
    url = URL(base)
    if urllib.request.proxy_bypass(url.host or ""):
        return None
    return urllib.request.getproxies().get(url.scheme)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    raw = await response.content.read(MAX_BYTES) if response.content_length is None else b""
    if not raw:
        if (response.content_length or 0) > MAX_BYTES:
            raise RowError("The response is longer than 64 MiB.", kind="too long")
        return await response.read()
    pieces = [raw]
    size = len(raw)
    while piece := await response.content.read(MAX_BYTES):
        size += len(piece)
        if size > MAX_BYTES:
            raise RowError("The response is longer than 64 MiB.", kind="too long")
        pieces.append(piece)
    return b"".join(pieces)


def _told(body: Any) -> str:
    """Return what the server said was wrong, on one line, without anything like a key in it."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        parts = [
            str(error[name]) for name in ("code", "type", "status", "message") if error.get(name)
        ]
        error = ": ".join(parts)
    return without_secrets(" ".join(str(error or "").split()))[:200]


def _status_inside(body: Any) -> int:
    """Return the status that an error inside a success stands for; 400 where it does not say."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code", error.get("status")) if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return 429 if "rate" in str(error).lower() else 400


_SECRET = re.compile(r"\b(sk|pk|key|ghp|xox[abp]|AIza|Bearer)[-_ ]?[A-Za-z0-9_*-]{8,}")


def without_secrets(text: str) -> str:
    """Return ``text`` with everything that looks like a key replaced."""
    return _SECRET.sub("[key]", text)
