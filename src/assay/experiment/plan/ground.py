"""What the rules of a plan go by."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay.experiment.leaks import Leak
from assay.experiment.plan.columns import ColumnSeen
from assay.experiment.plan.wishes import Wishes
from assay.experiment.search.space import Family
from assay.project import Project
from assay.task import Costs, Task


@dataclass(frozen=True)
class Ground:
    """What the rules go by.

    Attributes
    ----------
    columns
        Those that a model may read: without what gives the target away.
    """

    project: Project
    rows: pl.DataFrame
    wishes: Wishes
    columns: tuple[ColumnSeen, ...]
    leaks: tuple[Leak, ...]
    families: tuple[Family, ...]

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.project.task

    @property
    def costs(self) -> Costs | None:
        """What mistakes cost, where they are judged by it: between two classes."""
        return self.wishes.costs if self.task.kind == "binary" else None

    @property
    def judged(self) -> Project:
        """The project as an experiment that follows the plan judges it."""
        return self.project if self.costs is None else self.project.judged_by(self.costs.metric)
