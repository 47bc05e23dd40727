"""What a process gives up, for good, before it runs what it was given."""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from typing import Any

from . import landlock, seccomp

_PR_CAPBSET_DROP, _LAST_CAPABILITY = 24, 63
_CAPABILITIES_3 = 0x20080522
_OPEN_FILES = 256


def confine(request: dict[str, Any]) -> None:
    """Lower every limit, drop capabilities, and put on what the kernel has and was asked for."""
    _lower_limits(request["limits"])
    if hasattr(os, "sched_getaffinity"):  # Linux
        _drop_capabilities()
    if request["landlock"]:
        landlock.confine(request["readable"], request["writable"])
    if request["seccomp"]:
        seccomp.confine(one_process=request["limits"]["processes"] == 1)


def _lower_limits(limits: dict[str, Any]) -> None:
    memory = int(limits["memory_mebibytes"] * 2**20 / limits["processes"])
    file = int(limits["file_mebibytes"] * 2**20)
    seconds = max(1, int(-(-limits["cpu_seconds"] // 1)))
    for name, soft, hard in (
        ("RLIMIT_CPU", seconds, seconds + 1),
        ("RLIMIT_AS", memory, memory),
        ("RLIMIT_FSIZE", file, file),
        ("RLIMIT_CORE", 0, 0),
        ("RLIMIT_NOFILE", _OPEN_FILES, _OPEN_FILES),
        ("RLIMIT_MEMLOCK", 0, 0),
        ("RLIMIT_MSGQUEUE", 0, 0),
        ("RLIMIT_SIGPENDING", _OPEN_FILES, _OPEN_FILES),
    ):
        which = getattr(resource, name, None)  # each system has its own
        if which is None:
            continue
        most = resource.getrlimit(which)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(which, (soft, hard))


def _drop_capabilities() -> None:
    """Keep no privilege, nor the way back to one through a program; root needs this."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_LAST_CAPABILITY + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    nothing = struct.pack("6I", *[0] * 6)
    if libc.capset(struct.pack("Ii", _CAPABILITIES_3, 0), nothing):
        raise OSError(ctypes.get_errno(), "privileges could not be given up")
