"""The policy: what is kept, apart from how it was measured."""

from __future__ import annotations

from collections.abc import Sequence

from assay.errors import InputError
from assay.evidence.power import more_rows
from assay.evidence.spec import Decision, Evidence, Verdict

GUARD_ALPHA = 0.05
ROUNDING = 1e-12
"""A gain of this size is what adding up floats leaves of none."""


def decide(
    gain: Evidence,
    *,
    alpha: float = 0.05,
    min_effect: float = 0.0,
    guards: Sequence[Evidence] = (),
    allowed_loss: float = 0.05,
    significant: bool | None = None,
) -> Verdict:
    """Decide from a measured gain and its guards.

    ``kept``: the gain is significant (one-sided p below ``alpha``), at least ``min_effect``,
    and no guard fails. ``undecided``: not significant, but the estimate is positive and the
    interval still holds a gain worth having; more rows would tell. Else ``dropped``. A guard
    fails when its loss exceeds what is allowed and is itself significant (one-sided 5 %), so
    that a small class is not a veto by noise.

    Parameters
    ----------
    gain
        From :func:`assay.evidence.compare`.
    min_effect
        Smallest gain worth having, in the metric's unit.
    guards
        From :func:`assay.evidence.class_guards` or of the same shape.
    allowed_loss
        For guards that name none of their own in ``details["allowed"]``.
    significant
        Whether the gain is significant, where a sequence of tests decides it
        (:class:`assay.evidence.Screening`) instead of ``alpha``.

    Raises
    ------
    InputError
        When ``gain`` carries no p-value.
    """
    if gain.p_value is None:
        raise InputError("gain was not tested.", given=gain.name, next_step="use compare()")
    failed = [each for each in guards if fails(each, allowed_loss)]
    level = f"at {alpha:g}" if significant is None else "in this sequence of tests"
    passed = gain.p_value < alpha if significant is None else significant
    decision, reason = _judge(gain, passed, level, alpha, min_effect, failed, allowed_loss)
    return Verdict(decision, reason, (gain, *guards))


def fails(guard: Evidence, allowed_loss: float = 0.05) -> bool:
    """Whether the loss exceeds what is allowed and is not noise."""
    allowed = float(guard.details.get("allowed", allowed_loss))
    significant = guard.p_value is not None and guard.p_value < GUARD_ALPHA
    return -guard.estimate > allowed and significant


def _judge(
    gain: Evidence,
    significant: bool,
    level: str,
    alpha: float,
    min_effect: float,
    failed: Sequence[Evidence],
    allowed_loss: float,
) -> tuple[Decision, str]:
    figures = _figures(gain)
    if significant and gain.estimate >= min_effect:
        if not failed:
            bar = f" and reaches the {min_effect:g} asked for" if min_effect > 0 else ""
            return "kept", f"{figures} The gain is significant {level}{bar}."
        return "dropped", f"{figures} But {_lost(failed, allowed_loss)}"
    if significant:
        return "dropped", f"{figures} That is less than the {min_effect:g} asked for."
    if gain.estimate <= ROUNDING:
        return "dropped", f"{figures} There is no gain."
    if failed:
        return "dropped", f"{figures} Chance could explain it, and {_lost(failed, allowed_loss)}"
    if gain.interval.high > 0 and gain.interval.high >= min_effect:
        return "undecided", (
            f"{figures} Chance could explain it, and a gain worth having is not ruled out."
            f"{_more(gain, min_effect, alpha)}"
        )
    return "dropped", f"{figures} A gain of {min_effect:g} is ruled out."


def _lost(failed: Sequence[Evidence], allowed_loss: float) -> str:
    worst = min(failed, key=lambda each: each.estimate)
    allowed = float(worst.details.get("allowed", allowed_loss))
    return (
        f"the {worst.name} is {worst.estimate:+.4f} (p = {worst.p_value:.2g}, n = {worst.n}), "
        f"a loss of more than {allowed:.3g}."
    )


def _more(gain: Evidence, min_effect: float, alpha: float) -> str:
    if "se" not in gain.details:
        return ""
    more = more_rows(gain, min_effect=min_effect, alpha=alpha)
    return "" if more is None else f" About {more} more rows would tell."


def _figures(gain: Evidence) -> str:
    verb = "rose" if gain.estimate > 0 else "fell" if gain.estimate < 0 else "did not change"
    what = str(gain.details.get("metric", gain.name))
    if "before" in gain.details and "after" in gain.details:
        move = f"{what} went from {gain.details['before']:.4f} to {gain.details['after']:.4f}"
    else:
        move = f"{what} {verb}"
    return (
        f"{move}: gain {gain.estimate:+.4f}, {gain.interval.level:.0%} interval "
        f"{gain.interval}, p = {gain.p_value:.2g}, n = {gain.n}."
    )
