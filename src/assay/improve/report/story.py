"""What the report says, in sentences, before it is drawn anywhere."""

from __future__ import annotations

from dataclasses import dataclass

from assay.evidence import Confirmation
from assay.evidence.figures import estimate_text, gain_text
from assay.improve.spec import ImproveResult

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
    "log_loss": "log-loss",
    "auc": "AUC",
    "average_precision": "average precision",
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
    metric = result.task.metric
    return METRICS.get(metric, "cost of a row")


def counted(number: int, thing: str) -> str:
    """Return ``3 proposals`` or ``1 proposal``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _headline(result: ImproveResult) -> str:
    tried, kept, confirmed = len(result.attempts), len(result.kept), result.confirmed
    if not tried:
        return "Nothing was tried; the recipe stays as it was."
    if not kept:
        none = (
            "The one proposal did not help" if tried == 1 else f"None of {tried} proposals helped"
        )
        return f"{none}; the recipe stays as it was."
    passed = f"{counted(kept, 'edit')} passed the screen"
    if confirmed is None:
        return f"{passed}, but nothing is confirmed: the vault was not looked at."
    if not confirmed.verdict.kept:
        helps = "it helps" if kept == 1 else "they help"
        return f"{passed}, but the vault does not confirm that {helps}."
    return _success(result, confirmed)


def _success(result: ImproveResult, confirmed: Confirmation) -> str:
    if confirmed.before is None or confirmed.after is None:
        return f"It helped: the vault confirms {counted(len(result.kept), 'edit')}."
    before, after = estimate_text(confirmed.before), estimate_text(confirmed.after)
    return f"It helped: {metric_name(result)} went from {before} to {after}."


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
    tried = counted(len(result.attempts), "proposal")
    return (
        f"The screen tried {tried}, each tested on its own: its gains are for choosing, they "
        "are not corrected for the number tried, and they do not add up. "
        "Only the vault's figure is a claim about new rows like these."
    )
