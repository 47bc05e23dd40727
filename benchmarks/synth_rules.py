"""What is kept of the screened proposals, by the gate and by rules without one."""

from __future__ import annotations

from typing import Any

from assay.evidence import benjamini_hochberg

ALPHA = 0.05
RULES = {"ours": 0.05, "ours, guard .20": 0.2, "ours, no guard": 1.0}
"""Recall that a class may lose: the default, what one allows who asks for balance, and all."""

RISEN = "kept where the mean rose"


def kept(screened: dict[str, Any], metric: str) -> dict[str, str | None]:
    """Return for each rule the proposal of the largest gain among those it keeps.

    The gate keeps what is significant after Benjamini and Hochberg's correction for how many
    were tried, where no class loses more recall than allowed (a loss that is itself significant).
    """
    names = list(screened)
    gains = {name: screened[name]["gains"][metric] for name in names}
    adjusted = benjamini_hochberg([gains[name][1] for name in names])
    found = {RISEN: _best({name: gain for name, (gain, _) in gains.items() if gain > 0})}
    for rule, allowed in RULES.items():
        found[rule] = _best(
            {
                name: gains[name][0]
                for name, p_value in zip(names, adjusted, strict=True)
                if p_value < ALPHA and gains[name][0] > 0 and _guarded(screened[name], allowed)
            }
        )
    return found


def _guarded(screened: dict[str, Any], allowed: float) -> bool:
    return not any(-change > allowed and p < ALPHA for change, p in screened["recall"])


def _best(gains: dict[str, float]) -> str | None:
    return max(gains, key=gains.__getitem__, default=None)
