"""Reads what a running program writes, as it writes it, and kills it where it takes too much."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from assay.sandbox.spec import Limits, Status

TICK_SECONDS = 0.05
KEPT_BYTES = 16 * 2**10
MAX_THREADS = 256
MAX_FILES = 10_000
_CHUNK = 1 << 16
_LAST_WORDS_SECONDS = 2.0
Check = Callable[[], Status | None]


@dataclass
class Watched:
    """What a program wrote, and why it was killed if it was."""

    results: bytearray = field(default_factory=bytearray)
    printed: bytearray = field(default_factory=bytearray)
    printed_bytes: int = 0
    killed_for: Status | None = None


def watch(
    process: subprocess.Popen[bytes], printed: int, results: int, limits: Limits, check: Check
) -> Watched:
    """Wait until ``process`` has ended or was killed; return what it wrote until then.

    The process is the leader of its group; the whole group is gone, and reaped, on return, also
    by way of an exception.

    Parameters
    ----------
    printed, results
        Ends of the pipes to read, closed on return.
    check
        Called every 50 ms; says what limit is passed.
    """
    seen = Watched()
    deadline = time.monotonic() + limits.wall_seconds
    with selectors.DefaultSelector() as selector:
        for pipe in (printed, results):
            os.set_blocking(pipe, False)
            selector.register(pipe, selectors.EVENT_READ)
        try:
            while seen.killed_for is None and not _ended(process):
                seen.killed_for = check() if time.monotonic() < deadline else "out of time"
                _read(selector, seen, results, TICK_SECONDS)
                _judge(seen, limits)
        finally:
            _kill(process)
            _drain(selector, seen, results, limits)
            for pipe in (printed, results):
                os.close(pipe)
    return seen


def over_limits(process: int, wrappers: int, scratch: Path | None, limits: Limits) -> Status | None:
    """Return the limit that a process and its children have passed, if any."""
    processes, threads = _tasks(process)
    if processes - wrappers > limits.processes or threads - wrappers > MAX_THREADS:
        return "too many processes"
    if scratch is not None:
        size, files = _space(scratch)
        if size > limits.file_mebibytes * 2**20 or files > MAX_FILES:
            return "out of space"
    return None


def _read(selector: selectors.BaseSelector, seen: Watched, results: int, seconds: float) -> None:
    if not selector.get_map():
        time.sleep(seconds)
        return
    for key, _ in selector.select(seconds):
        chunk = os.read(key.fd, _CHUNK)
        if not chunk:
            selector.unregister(key.fd)
        elif key.fd == results:
            seen.results += chunk
        else:
            seen.printed_bytes += len(chunk)
            seen.printed = (seen.printed + chunk)[-KEPT_BYTES:]


def _judge(seen: Watched, limits: Limits) -> None:
    if max(len(seen.results), seen.printed_bytes) > limits.output_bytes:
        seen.killed_for = "too much output"


def _drain(selector: selectors.BaseSelector, seen: Watched, results: int, limits: Limits) -> None:
    """Read what is left in the pipes: they end when the last process that held them is gone."""
    end = time.monotonic() + _LAST_WORDS_SECONDS
    while selector.get_map() and seen.killed_for is None and time.monotonic() < end:
        _read(selector, seen, results, TICK_SECONDS)
        _judge(seen, limits)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended; it stays unreaped, so that its group keeps its number."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, flags) is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tasks(process: int) -> tuple[int, int]:
    """Return how many processes and threads there are from ``process`` down; Linux alone."""
    processes = threads = 0
    left = [str(process)]
    while left:
        tasks = Path("/proc", left.pop(), "task")
        with contextlib.suppress(OSError):  # it may end while it is looked at
            names = os.listdir(tasks)
            processes, threads = processes + 1, threads + len(names)
            for name in names[:MAX_THREADS]:
                left += (tasks / name / "children").read_text().split()
    return processes, threads


def _space(folder: Path) -> tuple[int, int]:
    """Return the bytes on disk and the number of files under ``folder``, links not followed."""
    size = files = 0
    for place, _, names in os.walk(folder):
        files += len(names) + 1
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(place, name)).st_blocks * 512
        if files > MAX_FILES:
            break
    return size, files
