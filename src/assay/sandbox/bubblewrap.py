"""Bubblewrap: namespaces of its own for files, processes, network, users and host name."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from assay.sandbox.inside import seccomp
from assay.sandbox.job import Job, environment, readable, start_command
from assay.sandbox.spec import Protection

_FOLDER, _GIVEN = "/tmp", "/given"  # noqa: S108 (inside, where it is the program's own)
_NEEDS_FILTER = {Protection.FORKING, Protection.KERNEL}
_TRIAL_SECONDS = 10


class Bubblewrap:
    """Runs programs in namespaces of their own, with a filter of system calls beneath."""

    name = "bubblewrap"
    wrappers = 2
    """Processes of Bubblewrap itself."""

    @staticmethod
    @cache
    def works() -> bool:
        """Whether it is installed and this system permits what it needs; tried once."""
        if shutil.which("bwrap") is None:
            return False
        try:
            tried = subprocess.run(  # noqa: S603 (a fixed command)
                [*_spaces(2**20), *start_command("")[:1], "-S", "-c", ""],
                capture_output=True,
                timeout=_TRIAL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return tried.returncode == 0

    @property
    def protections(self) -> frozenset[Protection]:
        """What programs are held from."""
        return frozenset(Protection) - (set() if seccomp.supported() else _NEEDS_FILTER)

    def command(self, job: Job) -> list[str]:
        """Write the request of ``job``; return the command that runs it."""
        job.write_request(folder=_FOLDER, given=_GIVEN, landlock=False, seccomp=seccomp.supported())
        given = ("--ro-bind", str(job.given), _GIVEN)
        space = int(job.limits.file_mebibytes * 2**20)
        return [*_spaces(space, *given), *start_command(f"{_GIVEN}/request.json")]

    def environment(self, job: Job) -> dict[str, str]:
        """Return the environment inside."""
        return environment(_FOLDER)

    def scratch(self, job: Job) -> Path | None:
        """Return the folder whose size must be watched: none, it lies in limited memory."""
        return None


def _spaces(space: int, *further: str) -> list[str]:
    """Return the command up to the program; ``space`` is the folder's size in bytes."""
    return [
        str(shutil.which("bwrap")),
        *("--unshare-all", "--unshare-user", "--disable-userns"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", "65534", "--gid", "65534", "--hostname", "sandbox"),
        *("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev", "--remount-ro", "/dev"),
        *("--size", str(space), "--tmpfs", _FOLDER),
        *_system(),
        *further,
        *("--chdir", _FOLDER, "--remount-ro", "/"),
    ]


def _system() -> list[str]:
    arguments: list[str] = []
    for path in readable():
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        else:
            arguments += ["--ro-bind", path, path]
    return arguments
