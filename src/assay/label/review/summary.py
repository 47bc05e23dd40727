"""What a review came to: how much is checked, what it changed, how far reviewers agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from assay.label.result import LabelResult
from assay.label.review.agreement import Agreement, agreement
from assay.label.review.clean import one_line
from assay.label.review.gold import gold_table
from assay.label.review.outcome import agreed, changes, updated
from assay.label.review.record import read_batches, read_decisions
from assay.ledger import Ledger

CASCADED = (
    "cascade    its threshold is measured when you label again: these rows are gold then, and what "
    "is on record is not asked again"
)


@dataclass(frozen=True)
class Summary:
    """What a review came to so far.

    Attributes
    ----------
    run
        The labelling's run.
    drawn, checked, skipped, disputed
        Rows drawn for a check, with an answer, left for later, and without a majority.
    notes
        Rows that somebody noted something about.
    changes
        Accuracy, threshold, coverage and guarantee before and after.
    agreement
        How far reviewers agree; None where no row has two answers.
    cascaded
        Whether several models answered: their threshold is not measured before they label again.
    """

    run: str
    drawn: int
    checked: int
    skipped: int
    disputed: int
    notes: dict[str, list[str]]
    changes: dict[str, Any]
    agreement: Agreement | None
    cascaded: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        told = None if self.agreement is None else self.agreement.as_dict()
        return asdict(self) | {"agreement": told}

    def lines(self) -> list[str]:
        """Return the summary in plain words."""
        counts = [f"{self.checked:,} rows checked"]
        counts += [f"{self.skipped:,} skipped"] if self.skipped else []
        counts += [f"{self.disputed:,} without a majority"] if self.disputed else []
        found = [", ".join(counts) + f" ({self.drawn:,} drawn, {self.run})"]
        accuracy, coverage = self.changes["accuracy"], self.changes["coverage"]
        found.append(f"accuracy   {_share(accuracy['before'])} -> {_share(accuracy['after'])}")
        if self.changes["threshold"]["before"] != self.changes["threshold"]["after"]:
            both = self.changes["threshold"]
            found.append(f"threshold  {_number(both['before'])} -> {_number(both['after'])}")
        found.append(f"coverage   {coverage['before']:.1%} -> {coverage['after']:.1%}")
        found.append(f"guarantee  {self.changes['guarantee']['after']}")
        found += [CASCADED] if self.cascaded else []
        return found if self.agreement is None else [*found, *_agreed(self.agreement)]


def summarise(result: LabelResult, ledger: Ledger) -> Summary:
    """Return what the review of a labelling came to so far, by all reviewers."""
    batches, decisions = read_batches(ledger, result.run), read_decisions(ledger, result.run)
    reviewed = agreed(decisions, batches)
    skipped = {each.row_id for each in decisions if each.action == "skip"}
    answered = {each.row_id for each in decisions if each.action in ("label", "wrong")}
    notes: dict[str, list[str]] = {}
    for each in decisions:
        if each.note:
            notes.setdefault(each.row_id, []).append(each.note)
    return Summary(
        run=result.run,
        drawn=len({each for batch in batches for each in batch.row_ids}),
        checked=len(answered),
        skipped=len(skipped - answered),
        disputed=len(reviewed.disputed),
        notes=notes,
        changes=changes(result, updated(result, reviewed)),
        agreement=agreement(decisions, result.task),
        cascaded=result.cascaded,
    )


def gold_of(result: LabelResult, ledger: Ledger) -> pl.DataFrame:
    """Return what reviewers agree on as a gold table; see :func:`gold_table`."""
    batches, decisions = read_batches(ledger, result.run), read_decisions(ledger, result.run)
    return gold_table(result.rows.table, agreed(decisions, batches), result.task)


def _share(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return "unknown"
    low, high = figure["interval"]
    return f"{figure['estimate']:.1%} [{low:.1%}, {high:.1%}]"


def _agreed(found: Agreement) -> list[str]:
    both = found.interval
    around = "" if both is None else f" [{both.low:.2f}, {both.high:.2f}]"
    people = f"{found.reviewers} reviewers, {found.rows:,} rows in common"
    lines = [f"agreement  alpha {_two(found.alpha)}{around} ({people})"]
    named = [f"{one_line(name)} {_two(each)}" for name, each in found.by_class.items()]
    return [*lines, f"  by class  {', '.join(named)}"] if named else lines


def _two(alpha: float | None) -> str:
    return "undefined" if alpha is None else f"{alpha:.2f}"


def _number(threshold: float | None) -> str:
    return "none" if threshold is None else f"{threshold:.4g}"
