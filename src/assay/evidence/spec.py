"""Evidence and Verdict: one measured fact, and what it decided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

Decision = Literal["kept", "dropped", "undecided"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval with its nominal level."""

    low: float
    high: float
    level: float = 0.95

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"[{self.low:+.4f}, {self.high:+.4f}]"


@dataclass(frozen=True)
class Evidence:
    """One measured fact.

    Attributes
    ----------
    name
        What was measured, for example ``gain in accuracy``.
    estimate
        Its value. A gain is oriented so that positive means better.
    interval
        Two-sided confidence interval of ``estimate``.
    n
        Rows it rests on.
    method
        How it was obtained, with its source.
    p_value
        One-sided p-value where a hypothesis was tested.
    details
        Further figures, plain JSON values only.
    id
        The ledger's id of this fact, once it is recorded.
    """

    name: str
    estimate: float
    interval: Interval
    n: int
    method: str
    p_value: float | None = None
    details: dict[str, Any] = field(default_factory=dict)
    id: str | None = None

    def with_id(self, ledger_id: str) -> Evidence:
        """Return the same fact under its ledger id."""
        return replace(self, id=ledger_id)

    def __str__(self) -> str:
        p = "" if self.p_value is None else f", p = {self.p_value:.3g}"
        level = f"{self.interval.level:.0%}"
        return f"{self.name} {self.estimate:+.4f} {level} {self.interval}{p}, n = {self.n}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fact as plain JSON values."""
        return {
            "name": self.name,
            "estimate": self.estimate,
            "interval": [self.interval.low, self.interval.high],
            "level": self.interval.level,
            "p_value": self.p_value,
            "n": self.n,
            "method": self.method,
            "details": self.details,
            "id": self.id,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Evidence:
        """Return the fact that :meth:`as_dict` described."""
        low, high = values["interval"]
        return cls(
            name=values["name"],
            estimate=values["estimate"],
            interval=Interval(low, high, values["level"]),
            n=values["n"],
            method=values["method"],
            p_value=values["p_value"],
            details=values["details"],
            id=values["id"],
        )


@dataclass(frozen=True)
class Verdict:
    """What the evidence decided, and why, in plain words."""

    decision: Decision
    reason: str
    evidence: tuple[Evidence, ...]

    @property
    def kept(self) -> bool:
        """Whether the change is kept."""
        return self.decision == "kept"

    @property
    def main(self) -> Evidence:
        """The evidence on the task's own metric; guards follow it."""
        return self.evidence[0]

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {
            "decision": self.decision,
            "reason": self.reason,
            "evidence": [each.as_dict() for each in self.evidence],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Verdict:
        """Return the verdict that :meth:`as_dict` described."""
        facts = tuple(Evidence.from_dict(each) for each in values["evidence"])
        return cls(values["decision"], values["reason"], facts)
