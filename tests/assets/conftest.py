"""A package index on this machine: PEP 503 pages, byte ranges, and faults on demand."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.assets import Asset, store

MEMBER = "tiny_asset/data.bin"
CONTENT = bytes(range(256)) * 4096
FILENAME = "tiny_asset-1.0-py3-none-any.whl"


@dataclass
class Index:
    """What the server hands out, how it misbehaves, and what it was asked for."""

    wheel: bytes
    content: bytes = CONTENT
    port: int = 0
    ranges: bool = True
    cut_after: list[int] = field(default_factory=list)
    hang: threading.Event | None = None
    refuse: bool = False
    asked: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where pip would find the wheel."""
        return f"http://127.0.0.1:{self.port}/files/{FILENAME}"

    def asset(self, **changes: str) -> dict[str, Asset]:
        values = {
            "name": "tiny",
            "package": "tiny-asset",
            "version": "1.0",
            "wheel_sha256": hashlib.sha256(self.wheel).hexdigest(),
            "member": MEMBER,
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
        }
        return {"tiny": Asset(**(values | changes))}


def make_wheel() -> bytes:
    info = "tiny_asset-1.0.dist-info"
    files = {
        MEMBER: CONTENT,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-asset\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}\n"
        for name, data in files.items()
    )
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return held.getvalue()


def _handler(index: Index) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith("/tiny-asset/"):
                page = f'<!DOCTYPE html><a href="/files/{FILENAME}">{FILENAME}</a>'.encode()
                self._answer(200, page, {"Content-Type": "text/html"})
            elif self.path.startswith("/files/"):
                self._file()
            else:
                self._answer(404, b"", {})

        do_HEAD = do_GET  # noqa: N815

        def _file(self) -> None:
            asked, wheel = self.headers.get("Range"), index.wheel
            # pip reads a wheel's metadata out of it by ranges; only our requests are faulty
            ours = "pip/" not in self.headers.get("User-Agent", "")
            if ours:
                index.asked.append(asked)
            if ours and index.refuse:
                self._answer(401, b"", {})
                return
            start, stop, status = 0, len(wheel), 200
            headers = {"Content-Type": "application/octet-stream"}
            if index.ranges:
                headers["Accept-Ranges"] = "bytes"
            if asked and index.ranges:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                start = int(first) if first else len(wheel) - int(last)
                stop = int(last) + 1 if first and last else len(wheel)
                status = 206
                headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(wheel)}"
                if start >= len(wheel):
                    self._answer(416, b"", {"Content-Range": f"bytes */{len(wheel)}"})
                    return
            limit = index.cut_after.pop(0) if ours and index.cut_after else None
            self._answer(status, wheel[start:stop], headers, limit)

        def _answer(
            self, status: int, body: bytes, headers: dict[str, str], limit: int | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(body if limit is None else body[:limit])
            if limit is not None:
                self.wfile.flush()
                if index.hang is not None:
                    index.hang.wait(60)
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    made = Index(make_wheel())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made))
    server.daemon_threads = True
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{made.port}/simple")
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    yield made
    if made.hang is not None:
        made.hang.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def located(index: Index, monkeypatch: pytest.MonkeyPatch) -> Index:
    """The index, and where its wheel lies: for tests of what comes after pip was asked."""
    monkeypatch.setattr(store, "locate", lambda _: index.url)
    return index
