"""Shares with their intervals, and what an attack gains over its control."""

from __future__ import annotations

from assay.evidence import Evidence, Interval
from assay.evidence.proportions import normal_reach, share_interval, wilson


def share(name: str, hits: int, n: int, method: str, *, level: float = 0.95) -> Evidence:
    """Return ``hits`` of ``n`` with Wilson's interval."""
    return Evidence(
        name=name,
        estimate=hits / n if n else 0.0,
        interval=share_interval(hits, n, level),
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
    reach = normal_reach(level)
    main, main_half = wilson(hits / n, n, reach)
    control, control_half = wilson(control_hits / control_n, control_n, reach)
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
