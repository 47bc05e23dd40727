"""The way to a server: through a forward proxy, and over TLS with a wrong clock."""

from __future__ import annotations

import asyncio
import datetime
import http.server
import os
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from model_servers import KEY, CompatibleServer

from assay.llm import Gateway, Prompt
from assay.llm.model import HopelessError
from assay.llm.providers import connect
from assay.llm.transport import GuardedConnector

Make = Callable[..., Gateway]


class ForwardProxy(http.server.ThreadingHTTPServer):
    """Forwards what it is asked for, and remembers where to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Forwarding)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Forwarding(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, ForwardProxy)
        self.server.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        request = urllib.request.Request(self.path, body, headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request) as response:
            answer = response.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardProxy]:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    started = ForwardProxy()
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, started.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield started
    started.shutdown()
    started.server_close()


def test_requests_go_through_the_proxy_that_the_environment_names(
    proxy: ForwardProxy, gateway: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = CompatibleServer()
    name = f"{server.url}#good"
    rows = [Prompt("Which?", f"sport {n}") for n in range(3)]
    assert gateway().choose(name, rows, ["sport", "money"]).complete
    assert set(proxy.asked) == {f"{server.url}/chat/completions"}
    assert len(proxy.asked) == server.answered
    proxy.asked.clear()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    rows = [Prompt("Which?", "money")]
    assert gateway(connect(name)).choose(name, rows, ["sport", "money"]).complete
    assert proxy.asked == []
    server.close()


def test_the_list_of_allowed_hosts_holds_behind_a_proxy(proxy: ForwardProxy) -> None:
    async def leak() -> None:
        connector = GuardedConnector(frozenset({"allowed.example", "127.0.0.1"}))
        async with aiohttp.ClientSession(connector=connector) as session:
            await session.post("http://elsewhere.example/v1", proxy=proxy.url)

    with pytest.raises(HopelessError, match=r"elsewhere\.example is not on the list"):
        asyncio.run(leak())
    assert proxy.asked == []


ASKS = """
import sys
from assay.errors import ModelError
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt

with Ledger.open(sys.argv[1]) as ledger, Gateway(ledger, unpriced_ok=True) as gateway:
    try:
        gateway.choose(sys.argv[2] + "#good", [Prompt("Which?", "x")], ["a", "b"])
    except ModelError as error:
        print(error)
"""


def certificate(path: Path, begins: datetime.datetime) -> None:
    """Write a certificate for 127.0.0.1 that signs itself, with its key."""
    x509 = pytest.importorskip("cryptography.x509")
    import ipaddress

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a server of the tests")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=2))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(encoding))


@pytest.mark.slow
@pytest.mark.parametrize(("days", "told"), [(30, "not yet valid"), (-30, "has expired")])
def test_a_clock_that_disagrees_with_a_certificate_is_told(
    tmp_path: Path, days: int, told: str
) -> None:
    """Our clock is behind, or ahead: to the certificate it is the same."""
    pem = tmp_path / "server.pem"
    certificate(pem, datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forwarding)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.handle_error = lambda *_: None  # type: ignore[method-assign,assignment]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**os.environ, "SSL_CERT_FILE": str(pem), "no_proxy": "127.0.0.1"}
    environment.pop("ASSAY_NO_REAL_MODELS", None)
    url = f"https://127.0.0.1:{server.server_port}/v1"
    command = [sys.executable, "-c", ASKS, str(tmp_path / "ledger.sqlite"), url]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    server.shutdown()
    server.server_close()
    assert told in done.stdout, done.stderr
    assert "this machine's clock" in done.stdout
