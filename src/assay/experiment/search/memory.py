"""How much memory a process holds, and how much a worker may."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SHARE = 0.7
"""Of the memory that is free; the rest is for the search itself and for everybody else."""


def resident_bytes(process: int) -> int | None:
    """Return the bytes that a process holds in memory; None where that cannot be known."""
    try:
        if sys.platform == "linux":
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        command = ["/bin/ps", "-o", "rss=", "-p", str(process)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return int(found.stdout) * 1024
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def allowed_bytes(workers: int) -> int | None:
    """Return how much each of so many workers may hold; None where that cannot be known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(each.split()[1]) for each in lines if each.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None
    return int(SHARE * free * 1024 / workers)
