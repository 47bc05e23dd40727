"""The project: a folder with ``assay.toml``, its state in ``.assay/`` beside it."""

from __future__ import annotations

from assay.project.project import Project
from assay.project.settings import Models, Settings

__all__ = ["Models", "Project", "Settings"]
