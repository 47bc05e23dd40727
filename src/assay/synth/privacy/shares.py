"""Shares with their intervals, and what an attack gains over its control."""

from __future__ import annotations

from statistics import NormalDist

from assay.evidence import Evidence, Interval


def share(name: str, hits: int, n: int, method: str, *, level: float = 0.95) -> Evidence:
    """Return ``hits`` of ``n`` with Wilson's interval."""
    middle, half = _wilson(hits, n, level)
    return Evidence(
        name=name,
        estimate=hits / n if n else 0.0,
        interval=Interval(max(middle - half, 0.0), min(middle + half, 1.0), level),
        n=n,
        method=f"{method}; Wilson interval",
        details={"hits": hits},
    )


def risk(
    name: str, hits: int, control_hits: int, n: int, control_n: int, method: str,
    *, level: float = 0.95,
) -> Evidence:  # fmt: skip
    """Return what an attack gains beyond what it gains on people who are not in the data.

    ``(main - control) / (1 - control)``, with Wilson's estimates of both rates and the interval
    by propagating their half-widths (Giomi et al. 2023, section 3.2); 0 is no risk.
    """
    main, main_half = _wilson(hits, n, level)
    control, control_half = _wilson(control_hits, control_n, level)
    left = max(1 - control, 1e-9)
    value = (main - control) / left
    half = ((main_half / left) ** 2 + ((main - 1) / left**2 * control_half) ** 2) ** 0.5
    return Evidence(
        name=name,
        estimate=min(max(value, 0.0), 1.0),
        interval=Interval(min(max(value - half, 0.0), 1.0), min(max(value + half, 0.0), 1.0),
                          level),
        n=n,
        method=f"{method} (Giomi et al. 2023), against {control_n:,} control rows",
        details={"success": hits / n, "control": control_hits / control_n},
    )  # fmt: skip


def _wilson(hits: int, n: int, level: float) -> tuple[float, float]:
    """Return the middle and the half-width of Wilson's interval."""
    if n == 0:
        return 0.5, 0.5
    z = NormalDist().inv_cdf((1 + level) / 2)
    rate, scale = hits / n, 1 + z**2 / n
    half = z * ((rate * (1 - rate) + z**2 / (4 * n)) / n) ** 0.5 / scale
    return (rate + z**2 / (2 * n)) / scale, half
