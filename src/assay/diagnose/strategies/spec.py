"""One thing that could be done about a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RemedyKind = Literal[
    "collect", "relabel", "drop", "deduplicate", "synthesise", "reweight", "feature",
    "threshold", "calibrate", "split by group", "split by time", "regularise",
    "check",
]  # fmt: skip


@dataclass(frozen=True)
class Strategy:
    """A remedy with what it may gain and what it costs.

    Attributes
    ----------
    finding
        The place among the diagnosis's findings, from 0.
    gain
        Expected fall of the mean loss: the finding's whole cost times ``odds``. None where the
        finding has no cost in units of the loss.
    odds
        How often remedies of this kind were proven in this project, one success and one failure
        added: 1/2 where none was tried.
    minutes
        Of a person, or of this machine for what it can run.
    runs
        Whether ``assay diagnose --try`` can try it.
    """

    finding: int
    code: str
    kind: str
    words: str
    gain: float | None
    odds: float
    minutes: float
    runs: bool

    @property
    def per_minute(self) -> float:
        """Expected gain for each minute; 0 where it is not known."""
        return 0.0 if self.gain is None or self.minutes <= 0 else self.gain / self.minutes
