"""What lies outside the sandbox: keys, servers and a process worth reaching."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest


def _serve(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.sendall(b"secret")


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Yield the addresses of servers and the number of a process, all of this user."""
    folder = Path(tempfile.mkdtemp(prefix="marker-"))  # short: a socket's path has 108 bytes
    abstract = f"assay-test-{os.getpid()}"
    servers = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
    servers.append(socket.socket(socket.AF_UNIX))
    servers[1].bind(str(folder / "socket"))
    servers[2].bind("\0" + abstract)
    mailbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    mailbox.bind(str(folder / "mailbox"))
    for server in servers:
        server.listen()
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
    command = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    process = subprocess.Popen(command, env={"TOKEN": "secret"})
    yield {
        "port": servers[0].getsockname()[1],
        "socket": str(folder / "socket"),
        "abstract": abstract,
        "mailbox": str(folder / "mailbox"),
        "pid": process.pid,
        "temporary": str(folder.parent),
    }
    process.kill()
    process.wait()
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    mailbox.close()
    for name in ("socket", "mailbox"):
        (folder / name).unlink()
    folder.rmdir()


@pytest.fixture
def there(
    neighbours: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object]:
    """Return what a program may try to reach, told to it in full."""
    home, current, path, user = (tmp_path / name for name in ("home", "current", "path", "user"))
    library = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for folder in (home / ".ssh", current, path, user / library):
        folder.mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("secret")
    (tmp_path / "file").write_text("mine")
    (current / "planted.py").write_text("")
    (path / "planted_on_path.py").write_text("")
    (user / library / "planted_by_user.py").write_text("")
    (user / library / "usercustomize.py").write_text("")
    monkeypatch.chdir(current)
    for name, value in {
        "HOME": str(home),
        "PYTHONPATH": str(path),
        "PYTHONUSERBASE": str(user),
        "OPENAI_API_KEY": "secret",
        "LD_PRELOAD": "",
    }.items():
        monkeypatch.setenv(name, value)
    return neighbours | {
        "home": str(home / ".ssh"),
        "key": str(home / ".ssh" / "id_ed25519"),
        "file": str(tmp_path / "file"),
        "folder": str(tmp_path),
    }
