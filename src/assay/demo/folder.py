"""The demo's project folder: made, continued, or made again."""

from __future__ import annotations

import shutil
from pathlib import Path

from assay.demo import reuters
from assay.errors import ProjectError
from assay.project import Project


def demo_project(path: Path, *, seed: int, fresh: bool) -> Project:
    """Return a project in ``path`` whose run has not ended yet.

    Raises
    ------
    ProjectError
        When ``path`` holds something else, or a finished demo and ``fresh`` is not set.
    """
    if not (path / "assay.toml").exists():
        return Project.create(path, reuters.sample(seed), task=reuters.TASK, seed=seed)
    project = Project.open(path)
    if project.task != reuters.TASK or project.settings.seed != seed:
        raise ProjectError(
            "The folder holds another project.", given=path, next_step="choose another --path"
        )
    if not _finished(project):
        return project
    if not fresh:
        raise ProjectError(
            "The folder holds a finished demo.",
            given=path,
            next_step="add --fresh to run it again, or choose another --path",
        )
    project.ledger().close()
    for name in ("assay.toml", "recipe.toml"):
        (path / name).unlink(missing_ok=True)
    shutil.rmtree(path / ".assay")
    return demo_project(path, seed=seed, fresh=False)


def _finished(project: Project) -> bool:
    ledger = project.ledger()
    runs = [each.id for each in ledger.entries("run")]
    return any(ledger.find("event", f"result:{run}") is not None for run in runs)
