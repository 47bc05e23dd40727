"""Processes of this machine that do jobs; one that breaks a limit is replaced."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from assay.engine.ahead import kill_group, spawned, take_started
from assay.errors import AssayError
from assay.experiment.search.jobs import Context, Job
from assay.experiment.search.memory import resident_bytes
from assay.experiment.search.pool import Broken, Limits, Outcome
from assay.scratch import Scratch

PULSE = 0.05
"""Seconds between looks at the limits; memory grows by some hundred MiB in that time."""

WORKER = "assay.experiment.search.worker"


class ProcessPool:
    """So many workers; use :func:`working`. One starts at once, the others with :meth:`open`.

    ``first`` is the process of one that was started ahead, in ``folder``.

    A start is some seconds of imports. Until the context is there its maker is at work too, and
    more processes than processors would only hold up the first fit.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        limits: Limits,
        ahead: Sequence[str] = (),
        first: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._folder = folder
        self.limits = limits
        self._ahead = tuple(ahead)
        self._count = workers
        self._workers = [_Worker(folder, 0, self._ahead, first)]

    def open(self, context: Context) -> None:
        """Tell the workers what every job shares."""
        context.write(self._folder)
        others = range(1, self._count)
        self._workers += [_Worker(self._folder, number, self._ahead) for number in others]
        for each in self._workers:
            each.open()

    @property
    def idle(self) -> int:
        """How many jobs could begin now.

        Where none is going on and every worker still starts, this waits for one.
        """
        while not self.busy and not self._free():
            self._look()
        return len(self._free())

    @property
    def busy(self) -> int:
        """How many jobs are going on."""
        return sum(each.job is not None for each in self._workers)

    def submit(self, job: Job, *, seconds: float | None = None) -> None:
        """Begin a job; there must be a worker without one.

        ``seconds`` is its limit in place of the pool's.
        """
        waiting = [each for each in self._workers if each.job is None]
        limit = self.limits.seconds if seconds is None else seconds
        (self._free() or waiting)[0].begin(job, limit)

    def wait(self, seconds: float | None = None) -> list[Outcome]:
        """Return the jobs that ended, as soon as one has or ``seconds`` are over.

        Nothing is returned early where a worker has started: it can be given a job.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while self.busy and (until is None or time.monotonic() < until):
            free = len(self._free())
            outcomes = self._look()
            if outcomes or len(self._free()) > free:
                return outcomes
        return []

    def _free(self) -> list[_Worker]:
        return [each for each in self._workers if each.job is None and each.ready]

    def _look(self) -> list[Outcome]:
        """Hear what the workers say within a pulse, and end what breaks a limit."""
        outcomes = [each for worker in self._heard() if (each := self._over(worker))]
        return outcomes + [each for worker in self._workers if (each := self._broken(worker))]

    def close(self) -> None:
        """Kill every worker."""
        for each in self._workers:
            each.kill()

    def _heard(self) -> list[_Worker]:
        with selectors.DefaultSelector() as selector:
            for each in self._workers:
                selector.register(each.answers, selectors.EVENT_READ, each)
            return [key.data for key, _ in selector.select(PULSE)]

    def _over(self, worker: _Worker) -> Outcome | None:
        line = worker.hear()
        if not line:
            return self._replace(worker, f"the process died: {worker.last_words()}")
        answer = json.loads(line)
        if "ready" in answer:
            worker.become_ready()
            return None
        job, worker.job = worker.job, None
        assert job is not None  # noqa: S101 - only a busy worker answers
        path = self._folder / job.name
        if not answer["ok"]:
            return Outcome(job, worker.elapsed(), None, answer["reason"])
        predictions = np.load(path)
        path.unlink()
        return Outcome(job, answer["seconds"], predictions)

    def _broken(self, worker: _Worker) -> Outcome | None:
        if worker.job is None or not worker.ready:
            return None
        if worker.elapsed() > worker.limit:
            return self._replace(worker, Broken("seconds", worker.limit))
        memory = self.limits.memory
        if memory is not None and (resident_bytes(worker.process.pid) or 0) > memory:
            return self._replace(worker, Broken("memory", memory))
        return None

    def _replace(self, worker: _Worker, why: Broken | str) -> Outcome | None:
        """End a worker and start another; one that dies before it was ready will again."""
        was_ready, job, elapsed = worker.ready, worker.job, worker.elapsed()
        worker.kill()
        if not was_ready:
            raise AssayError("The search's worker processes cannot start.", given=why)
        worker.start()
        worker.open()
        broken = why if isinstance(why, Broken) else None
        return None if job is None else Outcome(job, elapsed, None, str(why), broken)


class _Worker:
    """One process and what it is doing."""

    def __init__(
        self,
        folder: Path,
        number: int,
        ahead: tuple[str, ...],
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self._folder = folder
        self._ahead = ahead
        self._log = folder / f"worker-{number}.log"
        self.start(process)

    def start(self, process: subprocess.Popen[bytes] | None = None) -> None:
        """Start the process, or take over one that was started ahead."""
        self.job: Job | None = None
        self.ready = False
        self.limit = 0.0
        self._began = time.monotonic()
        self.process = process or spawned(WORKER, self._folder, self._log)
        self._send(json.dumps(self._ahead))

    def open(self) -> None:
        """Say that the context is there."""
        self._send("")

    @property
    def answers(self) -> int:
        """What its answers are read from."""
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        return self.process.stdout.fileno()

    def hear(self) -> bytes:
        """Return the next line that it wrote, and leave what follows to be heard in its turn.

        What a buffer took beside the line would be there without being heard.
        """
        with open(self.answers, "rb", buffering=0, closefd=False) as answers:
            return answers.readline()

    def become_ready(self) -> None:
        """Count a job's time from now: starting is not the job's."""
        self.ready, self._began = True, time.monotonic()

    def begin(self, job: Job, limit: float) -> None:
        """Send a job that may take so many seconds."""
        self.job, self.limit, self._began = job, limit, time.monotonic()
        self._send(job.line())

    def _send(self, line: str) -> None:
        with suppress(BrokenPipeError):  # it just died; its silence is noticed next
            assert self.process.stdin is not None  # noqa: S101 - it is a pipe
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def elapsed(self) -> float:
        """Return the seconds since the job began."""
        return time.monotonic() - self._began

    def last_words(self) -> str:
        """Return the last line that the process wrote, or the signal that ended it."""
        with suppress(subprocess.TimeoutExpired):
            code = self.process.wait(5)
            if code < 0:
                return signal.Signals(-code).name
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit code {self.process.returncode}"

    def kill(self) -> None:
        """End the process and all that it started."""
        kill_group(self.process)


@contextmanager
def working(workers: int, limits: Limits, ahead: Sequence[str] = ()) -> Iterator[ProcessPool]:
    """Yield a pool; its workers are gone afterwards, and so is all that they wrote.

    ``ahead`` names modules that the workers import before they are ready. A process that the
    command started ahead is the first worker.
    """
    early = take_started(WORKER)
    home = Scratch("experiment") if early is None else early.home
    pool = ProcessPool(home.path, workers, limits, ahead, None if early is None else early.process)
    try:
        yield pool
    finally:
        pool.close()
        home.remove()
