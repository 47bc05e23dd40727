"""Is the second command faster than the first? Interleaved pairs in fresh subprocesses."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from assay.errors import InputError
from assay.evidence.numbers import Floats, as_array, finite
from assay.evidence.spec import Evidence, Interval, Verdict

MIN_PAIRS = 5
REPLICATES = 5000
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")

Clock = Callable[[Sequence[str]], float]


def time_commands(
    before: Sequence[str],
    after: Sequence[str],
    *,
    pairs: int = 15,
    threads: int = 1,
    timeout: float = 300.0,
    folder: Path | None = None,
    seed: int = 0,
    step: Callable[[int, int], None] | None = None,
) -> Verdict:
    """Run both commands in turn and decide whether the second is faster than noise explains.

    Parameters
    ----------
    before, after
        Commands with their arguments; nothing passes through a shell.
    pairs
        A/B pairs, and as many A/A pairs that measure this machine's own noise.
    threads
        Threads that numerical libraries may use.
    timeout
        Seconds that one run may take.
    step
        Told how many of how many runs are done.

    Raises
    ------
    InputError
        When a command fails or takes too long, or pairs are fewer than five.
    """
    _check_pairs(pairs)
    run = _clock(threads, timeout, folder)
    rng = np.random.default_rng(seed)
    for command in (before, after):
        run(command)  # the first run of each fills caches and is not counted
    noise, real = [], []
    for i in range(pairs):
        noise.append(_pair(run, before, before, bool(rng.random() < 0.5)))
        real.append(_pair(run, before, after, bool(rng.random() < 0.5)))
        if step is not None:
            step(i + 1, pairs)
    return judge_times(real, noise, seed=seed)


def judge_times(
    real: Sequence[tuple[float, float]] | Floats,
    noise: Sequence[tuple[float, float]] | Floats,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Verdict:
    """Decide from measured pairs.

    Parameters
    ----------
    real
        (n, 2) seconds of the first and the second command, run one after the other.
    noise
        (n, 2) seconds of the first command against itself.

    Returns
    -------
    Verdict
        Kept when the lower bound of the median ratio first / second exceeds the 99th
        percentile of the same statistic on A/A pairs.
    """
    rng = np.random.default_rng(seed)
    ratios, idle = _log_ratios(real, "real"), _log_ratios(noise, "noise")
    medians = _medians(ratios, rng)
    low, high = np.exp(np.quantile(medians, [0.5 - level / 2, 0.5 + level / 2]))
    floor = float(np.exp(_noise_floor(idle, rng)))
    fact = Evidence(
        name="speed-up",
        estimate=float(np.exp(np.median(ratios))),
        interval=Interval(float(low), float(high), level),
        n=len(ratios),
        method="median ratio of interleaved pairs in fresh processes, bootstrap interval",
        details={"noise_99": floor, "slower_pairs": int((ratios < 0).sum())},
    )
    figures = (
        f"{fact.estimate:.3f} times as fast, {level:.0%} interval [{low:.3f}, {high:.3f}], "
        f"{fact.n} pairs; this machine's own noise reaches {floor:.3f}."
    )
    if low > floor:
        return Verdict("kept", f"Faster: {figures}", (fact,))
    if high > floor and fact.estimate > 1:
        return Verdict("undecided", f"Not told from noise: {figures}", (fact,))
    return Verdict("dropped", f"Not faster: {figures}", (fact,))


def slowdown(
    real: Sequence[tuple[float, float]] | Floats,
    noise: Sequence[tuple[float, float]] | Floats,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> Evidence:
    """Measure what the second of two timed things saves, for a guard; a loss is negative.

    Parameters
    ----------
    real, noise
        As in :func:`judge_times`.

    Returns
    -------
    Evidence
        ``estimate`` is 1 - the median ratio second / first. ``p_value`` is the share of
        bootstrap medians that the machine's own A/A noise (99th percentile) would explain.
    """
    rng = np.random.default_rng(seed)
    ratios, idle = -_log_ratios(real, "real"), _log_ratios(noise, "noise")
    medians = _medians(ratios, rng)
    floor = _noise_floor(idle, rng)
    low, high = 1 - np.exp(np.quantile(medians, [0.5 + level / 2, 0.5 - level / 2]))
    return Evidence(
        name="saving in latency",
        estimate=float(1 - np.exp(np.median(ratios))),
        interval=Interval(float(low), float(high), level),
        n=len(ratios),
        method="median ratio of interleaved pairs, bootstrap interval",
        p_value=float(((medians <= floor).sum() + 1) / (len(medians) + 1)),
        details={"noise_99": float(np.exp(floor))},
    )


def _noise_floor(idle: Floats, rng: np.random.Generator) -> float:
    """Return the 99th percentile of the median of A/A pairs, as a log ratio."""
    # A pair against itself has no direction: both are used.
    return float(np.quantile(_medians(np.concatenate([idle, -idle]), rng, len(idle)), 0.99))


def _pair(
    run: Clock, first: Sequence[str], second: Sequence[str], swapped: bool
) -> tuple[float, float]:
    """Time both, in either order."""
    if swapped:
        later = run(second)
        return run(first), later
    return run(first), run(second)


def _clock(threads: int, timeout: float, folder: Path | None) -> Clock:
    environment: Mapping[str, str] = os.environ | dict.fromkeys(THREADS, str(threads))

    def run(command: Sequence[str]) -> float:
        started = time.perf_counter()
        try:
            subprocess.run(  # noqa: S603 - the user's own command, no shell
                list(command),
                check=True,
                capture_output=True,
                timeout=timeout,
                env=environment,
                cwd=folder,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise InputError(
                "A command to be timed failed.",
                given=" ".join(command),
                next_step=f"run it by hand: {type(error).__name__}",
            ) from error
        return time.perf_counter() - started

    return run


def _log_ratios(pairs: Sequence[tuple[float, float]] | Floats, name: str) -> Floats:
    seconds = finite(as_array(pairs, name), name)
    if seconds.ndim != 2 or seconds.shape[1] != 2 or (seconds <= 0).any():
        raise InputError(f"{name} must be pairs of positive seconds.", allowed="(n, 2)")
    _check_pairs(len(seconds))
    return np.asarray(np.log(seconds[:, 0] / seconds[:, 1]))


def _medians(values: Floats, rng: np.random.Generator, size: int | None = None) -> Floats:
    drawn = rng.choice(values, size=(REPLICATES, size or len(values)))
    return np.asarray(np.median(drawn, axis=1))


def _check_pairs(pairs: int) -> None:
    if pairs < MIN_PAIRS:
        raise InputError("too few pairs.", given=pairs, allowed=f"at least {MIN_PAIRS}")
