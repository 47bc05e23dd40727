"""Runs one program in a sandbox and judges what came of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from assay.sandbox.choosing import Sandbox, chosen
from assay.sandbox.flatbuffer import DamagedError
from assay.sandbox.inside.codes import NO_MEMORY
from assay.sandbox.job import Job, check_name, write_inputs
from assay.sandbox.results import read_results
from assay.sandbox.spec import Limits, Outcome, Status, Value
from assay.sandbox.watching import Watched, over_limits, watch
from assay.scratch import Scratch

_WHY: dict[Status, str] = {
    "out of time": "It ran longer than it may.",
    "out of memory": "It needs more memory than it may take.",
    "out of space": "It wrote more to its folder than it may.",
    "too many processes": "It started more processes or threads than it may.",
    "too much output": "It wrote more than it may.",
}


def run(
    program: str,
    inputs: Mapping[str, Value] | None = None,
    *,
    outputs: Sequence[str] = (),
    limits: Limits | None = None,
    sandbox: Sandbox | None = None,
) -> Outcome:
    """Run a Python program that nobody vouches for, and return what came of it.

    It sees its inputs as variables, its own empty folder, Python and the installed libraries;
    no network, no home folder, no environment. Whatever it does is told in the outcome, never
    raised.

    Parameters
    ----------
    program
        Python source code.
    inputs
        Variables that the program finds: Polars tables, or what JSON can hold.
    outputs
        Variables that the program leaves: tables or columns of Polars or pandas, handed back
        as Polars tables; or numbers, texts, lists, arrays and mappings.
    limits
        Most that it may take; by default :class:`Limits`.
    sandbox
        Where it runs; by default the strongest that works here, see :func:`chosen`.

    Raises
    ------
    InputError
        When an input or output has a name that Python does not allow, or an input cannot be
        handed in.
    """
    limits, sandbox = limits or Limits(), sandbox or chosen()
    for name in outputs:
        check_name(name)
    with Scratch("sandbox") as home:
        for name in ("given", "scratch"):
            (home / name).mkdir()
        kinds = write_inputs(home / "given", inputs or {})
        return _run(Job(home, program, kinds, tuple(outputs), limits, 0), sandbox)


def _run(job: Job, sandbox: Sandbox) -> Outcome:
    began = time.monotonic()
    printed, printing = os.pipe()
    results, handing = os.pipe()
    try:
        job = Job(job.home, job.program, job.inputs, job.outputs, job.limits, handing)
        process = subprocess.Popen(  # noqa: S603 (the program is what the sandbox is for)
            sandbox.command(job),
            stdin=subprocess.DEVNULL,
            stdout=printing,
            stderr=printing,
            env=sandbox.environment(job),
            cwd=job.scratch,
            pass_fds=(handing,),
            start_new_session=True,
        )
    except BaseException:
        os.close(printed)
        os.close(results)
        raise
    finally:
        os.close(printing)
        os.close(handing)
    scratch = sandbox.scratch(job)
    seen = watch(
        process,
        printed,
        results,
        job.limits,
        lambda: over_limits(process.pid, sandbox.wrappers, scratch, job.limits),
    )
    return _judged(job, sandbox.name, seen, process.returncode, time.monotonic() - began)


def _judged(job: Job, sandbox: str, seen: Watched, code: int, seconds: float) -> Outcome:
    text = seen.printed.decode(errors="replace")
    status = seen.killed_for or _status(code, text, seconds, job.limits)
    why = _WHY.get(status, "")
    outputs: dict[str, Value] = {}
    if status == "failed":
        why = _last_line(text) or f"It ended with code {code}."
    elif status == "done":
        try:
            outputs = read_results(bytes(seen.results), job.outputs)
        except DamagedError as error:
            status, why = "unreadable", f"A result cannot be read: {error}."
    return Outcome(status, outputs, text, why, sandbox, seconds)


def _status(code: int, printed: str, seconds: float, limits: Limits) -> Status:
    # Bubblewrap tells a signal as a shell does.
    ended_by = -code if code < 0 else code - 128 if code > 128 else 0
    if code == 0:
        return "done"
    used_up = seconds >= min(limits.cpu_seconds, limits.wall_seconds)
    if ended_by == signal.SIGXCPU or (ended_by == signal.SIGKILL and used_up):
        return "out of time"
    # Polars and the like end the process where Python would raise.
    if code == NO_MEMORY or "memory allocation of" in printed:
        return "out of memory"
    return "failed"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
