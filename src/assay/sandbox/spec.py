"""What a program may take, what came of it, and what a sandbox holds it from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import polars as pl

from assay.errors import InputError

Status = Literal[
    "done",
    "failed",
    "out of time",
    "out of memory",
    "out of space",
    "too many processes",
    "too much output",
    "unreadable",
]
Json = None | bool | int | float | str | list[Any] | dict[str, Any]
Value = pl.DataFrame | Json


class Protection(StrEnum):
    """Something that a program is held from."""

    NETWORK = "reaching any network, or a server on this machine"
    READING = "reading files outside its folder, the home folder and keys among them"
    WRITING = "changing files outside its folder"
    NAMES = "learning which files and processes exist outside"
    PROCESSES = "reading, tracing or signalling other processes"
    FORKING = "starting processes beyond its limit"
    KERNEL = "asking the kernel for namespaces, mounts, keys, tracing or uncounted memory"
    SPACE = "filling the disk"
    MEMORY = "taking more memory than its limit"
    TIME = "running longer than its limits"
    OUTPUT = "writing more output than its limit"
    ENVIRONMENT = "seeing the environment's variables"
    LIBRARIES = "running what lies in the user's own library folder or the current one"
    RESULTS = "handing out anything but Arrow tables and JSON"


@dataclass(frozen=True)
class Limits:
    """Most that a program may take; reached, it is killed with all that it started.

    Attributes
    ----------
    wall_seconds, cpu_seconds
        On the clock, and of processor time; the latter in whole seconds, rounded up.
    memory_mebibytes
        Address space, over all its processes.
    file_mebibytes
        In its folder, and in any one file.
    output_bytes
        Of its results together; of all that it prints, too.
    processes
        Processes at once. Threads do not count, but there may be no more than 256.
    """

    wall_seconds: float = 30.0
    cpu_seconds: float = 30.0
    memory_mebibytes: int = 4096
    file_mebibytes: int = 256
    output_bytes: int = 64 * 2**20
    processes: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise InputError(f"`{name}` must be positive.", given=value, allowed="above 0")


@dataclass(frozen=True)
class Outcome:
    """What came of a program.

    Attributes
    ----------
    status
        ``done`` when it ended by itself, without an error, with every result readable.
    outputs
        Its results by name; empty unless ``done``.
    printed
        The end of what it printed, standard error included; at most 16 KiB.
    why
        Why it is not ``done``, in one sentence; empty when it is.
    sandbox
        The sandbox that it ran in.
    seconds
        On the clock.
    """

    status: Status
    outputs: Mapping[str, Value] = field(default_factory=dict)
    printed: str = ""
    why: str = ""
    sandbox: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.status == "done"
