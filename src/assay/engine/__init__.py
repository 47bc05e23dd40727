"""Running work: in this process, in several processes of this machine, or on a Ray cluster."""

from __future__ import annotations

from assay.engine.local import die_with, run_jobs, worker_count
from assay.errors import InputError

__all__ = ["ENGINES", "check_engine", "die_with", "run_jobs", "worker_count"]

ENGINES = ("local", "ray")


def check_engine(engine: str) -> None:
    """Refuse an engine that is not known, or not installed."""
    if engine not in ENGINES:
        raise InputError("The engine is not known.", given=engine, allowed=", ".join(ENGINES))
    if engine == "ray":
        from assay.engine.cluster import require_ray

        require_ray()
