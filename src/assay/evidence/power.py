"""Planning: what so many rows can show, and how many rows a question needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assay.errors import InputError
from assay.evidence.spec import Evidence

POWER = 0.80
DISAGREEMENT = 0.10


@dataclass(frozen=True)
class Plan:
    """What a project's rows can show, at 80 % power.

    Attributes
    ----------
    screening, vault
        The smallest gain that each set of rows would show four times out of five; in the
        metric's unit, or in standard deviations of the row differences where ``spread`` is 1 and
        not measured.
    search_rows, vault_rows
        Rows (or groups) behind each.
    spread
        Standard deviation of one row's difference that was assumed or measured.
    """

    search_rows: int
    vault_rows: int
    screening: float
    vault: float
    spread: float
    measured: bool

    def __str__(self) -> str:
        if self.measured:
            source = f"row differences spread by {self.spread:.3g}, measured"
        elif self.spread == 1:
            source = "in standard deviations of one row's difference"
        else:
            source = f"supposing that {self.spread**2:.0%} of the rows change sides"
        return (
            f"At {POWER:.0%} power, screening on {self.search_rows} rows shows gains from "
            f"{self.screening:.3g}, the vault of {self.vault_rows} rows from {self.vault:.3g} "
            f"({source})."
        )


def plan(
    search_rows: int,
    vault_rows: int,
    *,
    alpha: float = 0.05,
    vault_alpha: float = 0.05,
    looks: int = 1,
    disagreement: float = DISAGREEMENT,
    like: Evidence | None = None,
) -> Plan:
    """Return the smallest gains that screening and the vault can show.

    Parameters
    ----------
    search_rows, vault_rows
        Rows in each role; groups where rows come in groups.
    alpha
        Of the screen.
    vault_alpha, looks
        The vault's account, and the looks that share it.
    disagreement
        For accuracy: share of rows on which exactly one of two models is right.
    like
        An earlier comparison on the same task, whose spread is used instead.
    """
    spread = math.sqrt(disagreement) if like is None else _unit_spread(like)
    return Plan(
        search_rows=search_rows,
        vault_rows=vault_rows,
        screening=smallest_effect(search_rows, spread, alpha=alpha),
        vault=smallest_effect(vault_rows, spread, alpha=vault_alpha / looks),
        spread=spread,
        measured=like is not None,
    )


def smallest_effect(n: int, spread: float, *, alpha: float = 0.05, power: float = POWER) -> float:
    """Return the gain that a one-sided paired test on ``n`` rows shows with ``power``.

    Parameters
    ----------
    spread
        Standard deviation of one row's difference.
    """
    _check(n, alpha, power)
    return _reach(alpha, power) * spread / math.sqrt(n)


def rows_needed(effect: float, spread: float, *, alpha: float = 0.05, power: float = POWER) -> int:
    """Return the rows with which a true gain of ``effect`` is shown with ``power``."""
    _check(2, alpha, power)
    if effect <= 0:
        raise InputError("effect must be a gain.", given=effect, allowed="> 0")
    return max(2, math.ceil((_reach(alpha, power) * spread / effect) ** 2))


def more_rows(
    gain: Evidence, *, min_effect: float = 0.0, alpha: float = 0.05, power: float = POWER
) -> int | None:
    """Return how many more rows would decide an undecided comparison; None when none would.

    The true gain is taken to be the estimate or, where that is larger, ``min_effect``.
    """
    effect = max(gain.estimate, min_effect)
    spread = row_spread(gain)
    if effect <= 0 or spread == 0:
        return None
    return max(1, rows_needed(effect, spread, alpha=alpha, power=power) - gain.n)


def _unit_spread(gain: Evidence) -> float:
    """Return the spread between independent units: groups where the rows came in groups."""
    return row_spread(gain) * math.sqrt(gain.details.get("groups", gain.n) / gain.n)


def row_spread(gain: Evidence) -> float:
    """Return the standard deviation of one row's difference that a comparison measured."""
    if "se" not in gain.details:
        raise InputError("evidence carries no standard error.", given=gain.name)
    return float(gain.details["se"]) * math.sqrt(gain.n)


def _reach(alpha: float, power: float) -> float:
    from scipy import special

    return float(special.ndtri(1 - alpha) + special.ndtri(power))


def _check(n: int, alpha: float, power: float) -> None:
    if n < 2:
        raise InputError("n must be at least two rows.", given=n)
    if not 0 < alpha < 0.5 or not 0.5 <= power < 1:
        raise InputError(
            "alpha and power must be shares.", given=f"{alpha}, {power}", allowed="usual: 0.05, 0.8"
        )
