"""Detectors that fail: what is kept of a diagnosis when the code of one of them raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from assay.errors import shorten

Result = TypeVar("Result")


@dataclass(eq=False)
class Guard:
    """Runs the code of detectors.

    Attributes
    ----------
    keep_going
        Whether what they raise is put on record; else it is raised.
    failures
        What was raised, by the detector's name: the first of each.
    """

    keep_going: bool
    failures: dict[str, str] = field(default_factory=dict)

    def of(self, detector: str, work: Callable[[], Result]) -> Result | None:
        """Return what the work gives; None where it failed."""
        try:
            return work()
        except Exception as error:
            if not self.keep_going:
                raise
            what = shorten(f"it failed: {type(error).__name__}: {error}")
            self.failures.setdefault(detector, what)
            return None
