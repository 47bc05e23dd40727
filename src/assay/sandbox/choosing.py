"""Which sandboxes there are, and which one is used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from assay.errors import InputError
from assay.sandbox.bubblewrap import Bubblewrap
from assay.sandbox.job import Job
from assay.sandbox.plain import Plain
from assay.sandbox.spec import Protection


class Sandbox(Protocol):
    """A way to run a program that nobody vouches for."""

    @property
    def name(self) -> str:
        """How outcomes name it."""
        ...

    @property
    def wrappers(self) -> int:
        """Processes of its own that stand around the program."""
        ...

    @property
    def protections(self) -> frozenset[Protection]:
        """What it holds programs from, on this machine."""
        ...

    def command(self, job: Job) -> list[str]:
        """Return the command that runs ``job``."""
        ...

    def environment(self, job: Job) -> dict[str, str]:
        """Return every variable that the program sees."""
        ...

    def scratch(self, job: Job) -> Path | None:
        """Return the program's folder where its size must be watched."""
        ...


def chosen() -> Sandbox:
    """Return the sandbox to use: Bubblewrap where it works, else a plain process.

    ``ASSAY_SANDBOX`` names one: ``bubblewrap`` or ``plain``.

    Raises
    ------
    InputError
        When the one that is named is unknown or does not work here, or where this system has
        no means to limit a process.
    """
    named = os.environ.get("ASSAY_SANDBOX", "")
    if os.name != "posix":
        raise InputError("Programs cannot be confined on this system.", allowed="Linux, macOS")
    if named not in ("", "bubblewrap", "plain"):
        raise InputError("ASSAY_SANDBOX is unknown.", given=named, allowed="bubblewrap, plain")
    if named != "plain" and Bubblewrap.works():
        return Bubblewrap()
    if named == "bubblewrap":
        raise InputError(
            "Bubblewrap does not work here.",
            next_step="install bubblewrap and permit user namespaces, or set ASSAY_SANDBOX=plain",
        )
    return Plain()


def weakness(sandbox: Sandbox) -> str:
    """Return one sentence on what a sandbox does not hold programs from; empty if nothing."""
    missing = [each.value for each in Protection if each not in sandbox.protections]
    if not missing:
        return ""
    return f"The {sandbox.name} sandbox does not hold programs from {'; '.join(missing)}."
