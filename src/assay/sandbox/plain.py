"""A plain process that gives up what it can: the weaker sandbox, for where there is no better.

It keeps the machine's own view of files and processes. What the kernel offers to a process
without privileges is used where it is there: Landlock for files, seccomp for system calls.
"""

from __future__ import annotations

import platform
from pathlib import Path

from assay.sandbox.inside import landlock, seccomp
from assay.sandbox.job import Job, environment, readable, start_command
from assay.sandbox.spec import Protection

_ALWAYS = {
    Protection.SPACE,
    Protection.TIME,
    Protection.OUTPUT,
    Protection.ENVIRONMENT,
    Protection.LIBRARIES,
    Protection.RESULTS,
}
_BY_FILTER = {Protection.NETWORK, Protection.FORKING, Protection.KERNEL}
_BY_BOTH = {Protection.WRITING, Protection.PROCESSES}
_OWN = ("/proc/self", "/dev/zero", "/dev/random", "/dev/urandom")
_TRUNCATION_SINCE = 3


class Plain:
    """Runs programs as restricted processes of this user.

    Parameters
    ----------
    kernel
        Whether to use Landlock and seccomp; without them it is what a system has that lacks
        both.
    """

    name = "plain"
    wrappers = 0

    def __init__(self, *, kernel: bool = True) -> None:
        self._landlock = kernel and landlock.version() >= _TRUNCATION_SINCE
        self._seccomp = kernel and seccomp.supported()

    @property
    def protections(self) -> frozenset[Protection]:
        """What programs are held from, on this machine."""
        held = set(_ALWAYS)
        if platform.system() == "Linux":  # elsewhere address space is not limited
            held.add(Protection.MEMORY)
        held |= {Protection.READING} if self._landlock else set()
        held |= _BY_FILTER if self._seccomp else set()
        held |= _BY_BOTH if self._landlock and self._seccomp else set()
        return frozenset(held)

    def command(self, job: Job) -> list[str]:
        """Write the request of ``job``; return the command that runs it."""
        job.write_request(
            folder=str(job.scratch),
            given=str(job.given),
            landlock=self._landlock,
            seccomp=self._seccomp,
            readable=[*readable(), *_OWN, str(job.given)],
            writable=[str(job.scratch), "/dev/null"],
        )
        return start_command(str(job.given / "request.json"))

    def environment(self, job: Job) -> dict[str, str]:
        """Return the environment inside."""
        return environment(str(job.scratch))

    def scratch(self, job: Job) -> Path | None:
        """Return the folder whose size must be watched."""
        return job.scratch
