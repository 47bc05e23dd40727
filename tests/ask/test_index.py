"""What a package index says of a library, and what is said when it says nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.ask import index
from assay.ask.index import check_libraries, check_library, index_url

METADATA = "Metadata-Version: 2.4\nName: x\nVersion: 2.0\nLicense-Expression: MIT\n"
OLD_METADATA = "Name: x\nVersion: 1\nClassifier: License :: OSI Approved :: BSD License\n\ntext"


def _file(version: str, days: int, python: str = ">=3.8", **further: object) -> dict[str, object]:
    moment = datetime.now(UTC) - timedelta(days=days)
    return {
        "filename": f"x-{version}-py3-none-any.whl",
        "url": f"../../files/x-{version}.whl",
        "requires-python": python,
        "upload-time": moment.isoformat(),
        "core-metadata": True,
        **further,
    }


PAGES: dict[str, object] = {
    "/simple/good-one/": {"files": [_file("1.0", 900), _file("2.0", 10), _file("3.0rc1", 1)]},
    "/simple/stale/": {"files": [_file("1.0", 900)]},
    "/simple/too-new/": {"files": [_file("1.0", 10, ">=9.0")]},
    "/simple/mixed/": {"files": [_file("1.0", 50), _file("2.0", 10, ">=9.0")]},
    "/simple/withdrawn/": {"files": [_file("1.0", 50), _file("2.0", 10, yanked="broken")]},
    "/simple/bare/": "<html><a href='x-1.0.tar.gz'>x-1.0.tar.gz</a></html>",
    "/simple/broken/": b"{",
    "/files/x-1.0.whl.metadata": OLD_METADATA.encode(),
    "/files/x-2.0.whl.metadata": METADATA.encode(),
}


class _Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        if page is None:
            self.send_error(404)
            return
        kind = "text/html" if isinstance(page, str) else "application/vnd.pypi.simple.v1+json"
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Index)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_good_library_is_told_in_full(address: str) -> None:
    found = check_library("Good_One", address)
    assert (found.listed, found.latest, found.supports_python) == (True, "2.0", True)
    assert found.licence == "MIT"
    assert found.released is not None
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("name", "latest", "warning"),
    [
        ("stale", "1.0", "over two years ago"),
        ("too-new", "1.0", "no release supports Python"),
        ("mixed", "1.0", None),
        ("withdrawn", "1.0", None),
        ("bare", None, None),
    ],
)
def test_what_is_worth_knowing_is_said(
    address: str, name: str, latest: str | None, warning: str | None
) -> None:
    found = check_library(name, address)
    assert found.listed
    assert found.latest == latest
    assert [warning in each for each in found.warnings] == ([True] if warning else [])


@pytest.mark.parametrize("name", ["no-such-library", "../../etc", "a b", "", "-x"])
def test_a_library_that_is_not_there_is_said_not_to_be(address: str, name: str) -> None:
    found = check_library(name, address)
    assert found.listed is False
    assert found.warnings


@pytest.mark.parametrize("name", ["broken", "polars"])
def test_an_index_that_cannot_be_asked_is_said(address: str, name: str) -> None:
    found = check_library(name, address if name == "broken" else "http://127.0.0.1:9/simple/")
    assert found.listed is None
    assert "could not be reached" in found.warnings[0]
    assert (found.installed is not None) == (name == "polars")


def test_nobody_is_asked_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_opened", lambda *_: pytest.fail("asked"))
    (found,) = check_libraries(["scikit-learn"], offline=True)
    assert found.licence == "BSD-3-Clause"
    assert check_libraries([]) == ()


def test_the_index_is_the_one_that_pip_uses(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", address)
    index_url.cache_clear()
    assert index_url() == address
    index_url.cache_clear()
