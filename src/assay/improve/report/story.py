"""What the report says, in sentences, before it is drawn anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from assay.evidence import Evidence
from assay.improve.spec import ImproveResult

METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log-loss",
    "auc": "AUC",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}


@dataclass(frozen=True)
class Story:
    """The sentences of a report.

    Attributes
    ----------
    headline
        Did it help, and by how much.
    claim
        What is claimed, and on what grounds.
    caution
        What is not claimed.
    """

    headline: str
    claim: str
    caution: str


def tell(result: ImproveResult) -> Story:
    """Return the story of ``result``."""
    return Story(_headline(result), _claim(result), _caution(result))


def metric_name(result: ImproveResult) -> str:
    """Return the task's metric in words."""
    return METRICS[result.task.metric]


def span(fact: Evidence) -> str:
    """Return the interval in words, signed as the estimate is."""
    sign = "+" if fact.name.startswith(("gain", "change")) else ""
    low, high = (f"{bound:{sign}.3f}" for bound in (fact.interval.low, fact.interval.high))
    return f"{low} to {high}"


def gain_text(fact: Evidence) -> str:
    """Return a gain with its interval, for a sentence."""
    return f"{fact.estimate:+.3f} ({fact.interval.level:.0%} interval {span(fact)})"


def _headline(result: ImproveResult) -> str:
    kept, confirmed = len(result.kept), result.confirmed
    edits = f"{kept} edit{'s' if kept != 1 else ''}"
    if not kept:
        return f"None of {len(result.attempts)} proposals helped; the recipe stays as it was."
    if confirmed is None:
        return f"{edits} passed the screen, but nothing is confirmed: the vault was not looked at."
    if not confirmed.verdict.kept:
        return f"{edits} passed the screen, but the vault does not confirm that they help."
    if confirmed.before is None or confirmed.after is None:
        return f"It helped: the vault confirms {edits}."
    before, after = confirmed.before.estimate, confirmed.after.estimate
    return f"It helped: {metric_name(result)} went from {before:.3f} to {after:.3f}."


def _claim(result: ImproveResult) -> str:
    confirmed = result.confirmed
    if confirmed is None:
        reasons = [each.reason for each in result.skipped if each.name == "confirm on the vault"]
        return reasons[0] if reasons else "No look at the vault was spent."
    if not confirmed.verdict.evidence:
        return confirmed.verdict.reason
    gain = confirmed.verdict.main
    verb = "confirm a" if confirmed.verdict.kept else "show an unconfirmed"
    p = "" if gain.p_value is None else f", one-sided p = {gain.p_value:.2g}"
    return (
        f"{gain.n:,} rows that were locked away before the first suggestion {verb} gain of "
        f"{gain_text(gain)}{p}. Both recipes were built on all {result.rows.search:,} search rows."
    )


def _caution(result: ImproveResult) -> str:
    return (
        f"The screen tried {len(result.attempts)} proposals, each tested on its own: its gains "
        "are for choosing, they are not corrected for the number tried, and they do not add up. "
        "Only the vault's figure is a claim about new rows like these."
    )
