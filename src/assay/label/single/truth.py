"""What gold says of the rows that annotators voted on, and how much each row counts for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.label.single.scores import Codes, Scores
from assay.label.spec import Gold
from assay.label.task import LabelTask


@dataclass(frozen=True, eq=False)
class Truth:
    """The classes of m gold rows.

    Attributes
    ----------
    codes
        (m,) positions of the classes.
    teaching, measuring
        (m,) how much each row counts in what is learned, and in what is measured; None: all
        alike. See :class:`assay.label.spec.Gold`.
    """

    codes: Codes
    teaching: Scores | None = None
    measuring: Scores | None = None

    @classmethod
    def of(cls, gold: Gold, task: LabelTask) -> Truth:
        """Return the truth of gold rows."""
        position = {name: code for code, name in enumerate(task.class_names)}
        codes = np.array([position[label] for label in gold.labels], dtype=np.intp)
        return cls(codes, gold.teaching, gold.measuring)

    def __len__(self) -> int:
        return len(self.codes)

    def only(self, rows: Codes | NDArray[np.bool_]) -> Truth:
        """Return the truth of some rows."""
        teaching, measuring = (
            None if each is None else each[rows] for each in (self.teaching, self.measuring)
        )
        return Truth(self.codes[rows], teaching, measuring)

    @property
    def several(self) -> bool:
        """Whether there is more than one class."""
        return len(set(self.codes.tolist())) > 1

    @property
    def drawn(self) -> Codes:
        """The rows that measure."""
        if self.measuring is None:
            return np.arange(len(self))
        return np.flatnonzero(self.measuring > 0)
