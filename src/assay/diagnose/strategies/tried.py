"""What came of fixes that were tried, and of rows that were split again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assay.diagnose.strategies.spec import RemedyKind
from assay.documents import Document
from assay.evidence import Evidence

FixVerdict = Literal["proven", "harmful", "undecided"]
SplitBy = Literal["group", "time"]


@dataclass(frozen=True)
class Fix:
    """What one fix did.

    Attributes
    ----------
    verdict
        ``proven``: kept by the screen, better on its slice, and in a bundle that the vault
        confirmed, which proves the bundle, not each fix in it. ``harmful``: the whole interval of
        its gain, on all search rows or on its slice, lies below zero; never said of leaving out a
        column that leaks or is a shortcut. Else ``undecided``.
    on_all
        Gain on the task's metric, over all search rows.
    on_slice
        Gain on the finding's rows, out of fold, under other folds than the diagnosis had. These
        rows were chosen for their errors, so it flatters; None where the finding is of no rows.
    """

    code: str
    finding: str
    name: str
    verdict: FixVerdict
    on_all: Evidence
    on_slice: Evidence | None = None
    kind: RemedyKind = "check"


@dataclass(frozen=True)
class SplitAgain:
    """The same recipe on the same rows, judged by models of as many rows, split otherwise.

    Attributes
    ----------
    column
        What the stricter split goes by: judged rows are later than all that their model saw, or
        of groups that it did not see.
    mixed, strict
        The task's metric under the present split, and under the stricter one.
    change
        How much better the stricter one is; below zero where the present split flatters.
    """

    code: str
    finding: str
    by: SplitBy
    column: str
    mixed: Evidence
    strict: Evidence
    change: Evidence

    @property
    def flatters(self) -> bool:
        """Whether the whole interval says that the present split scores too well."""
        return self.change.interval.high < 0

    @property
    def scores(self) -> str:
        """Both scores, in a few words."""
        return f"{self.mixed.estimate:.3f} as it is split, {self.strict.estimate:.3f} by that"

    @property
    def words(self) -> str:
        """What it means, and what to do."""
        how = "on later rows" if self.by == "time" else "on groups that training did not hold"
        if not self.flatters:
            return f"that the score is lower {how}, by {self.column!r}, is not shown"
        line = f'{self.by} = "{self.column}"'
        return f"the score is lower {how}: write {line} under [task] in assay.toml"


@dataclass(frozen=True)
class Fixes(Document):
    """A diagnosis acted upon.

    Attributes
    ----------
    confirmed
        Gain of all kept fixes together on the vault; None where none was kept.
    splits
        What findings asked to be measured under another split.
    """

    fixes: tuple[Fix, ...]
    confirmed: Evidence | None
    run: str
    splits: tuple[SplitAgain, ...] = ()
