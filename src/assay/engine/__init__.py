"""Running work: in this process, or in several processes of this machine."""

from __future__ import annotations

from assay.engine.local import die_with, run_jobs, worker_count

__all__ = ["die_with", "run_jobs", "worker_count"]
