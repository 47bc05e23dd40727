"""What a diagnosis is made of: suspicions, findings, and what was looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from assay.diagnose.case import Case
from assay.diagnose.explain.spec import Explained
from assay.diagnose.pictures.spec import Pictures
from assay.diagnose.rules import Rule, read_rule
from assay.diagnose.strategies.spec import RemedyKind, Strategy
from assay.diagnose.strategies.tried import Fixes
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate

Severity = Literal["high", "medium", "low"]
ROWS_KEPT = 200
"""Ids of a finding's rows that are put on record; its size counts them all."""


@dataclass(frozen=True)
class Remedy:
    """What could fix a finding. A suggestion: nothing here is proven.

    Attributes
    ----------
    column
        The column that it leaves out, or splits by, where it does.
    value
        The class whose rows it is about, where it is about one.
    """

    kind: RemedyKind
    words: str
    column: str | None = None
    value: str | None = None


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Something that looks wrong on the discovery part, and how it is tested on the other.

    Attributes
    ----------
    code
        Stable code of the kind of fault, one of the detector's ``codes``.
    confirm
        Tests it on rows that the detector has not seen. Called by the harness alone, with the
        confirmation part. None where those rows cannot say. The estimate is the effect, oriented
        so that positive means harm; a fact without p-value is never confirmed.
    select
        Which rows of a case it is about; None when it is about the model as a whole.
    predicate
        The same in words, where there are words for it.
    rule
        The same of like texts.
    judged
        Whether the effect is in units of the loss, so that the minimum effect applies.
    about
        What it is found again by among those of its code, whatever else is told of it; the title
        where there is nothing else.
    family
        Which of its detector's kinds of slices it is one of, where it has several: each kind has an
        equal share of the level, and what two of them find is told once.
    """

    code: str
    title: str
    cause: str
    confirm: Callable[[Case], Evidence | None]
    select: Callable[[Case], Mask] | None = None
    predicate: Predicate | None = None
    rule: Rule | None = None
    remedies: tuple[Remedy, ...] = ()
    judged: bool = True
    about: tuple[str, ...] = ()
    family: str = ""


@dataclass(frozen=True, eq=False)
class Search:
    """What one detector did on the discovery part.

    Attributes
    ----------
    looked_at
        How many hypotheses it weighed.
    what
        What these were, in a few words.
    skipped
        Why it could not look, or not at everything; empty when it could.
    """

    looked_at: int
    what: str
    suspicions: tuple[Suspicion, ...] = ()
    skipped: str = ""


class Detector(Protocol):
    """Looks for one kind of fault. Found by the entry points ``assay.detectors``.

    One with a true attribute ``both_ways`` searches each half in turn, where the search is what
    needs the rows. One with a method ``again(case, code, about, predicate)`` measures a frozen
    finding on all rows of a case, without a search; it returns evidence, or None.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def codes(self) -> Mapping[str, str]:
        """Each code it may give, and what that code means."""
        ...

    def detect(self, part: Case) -> Search:
        """Return what looks wrong on the discovery part."""
        ...


@dataclass(frozen=True)
class Finding:
    """A fault that was found on one part of the rows and confirmed on another.

    Attributes
    ----------
    effect
        Measured on the confirmation part alone; its interval holds for this finding by itself,
        not for all at once.
    p_adjusted
        Benjamini-Hochberg over every confirmation test of the diagnosis, every family alike.
    cost
        How much lower the mean loss of all rows would be, were the rows it is about no worse
        than the others; 0 for what is about no rows. Measured on the confirmation part.
    share
        ``cost`` as a share of the mean loss, at most 1: the one is of the confirmation part, the
        other of all rows.
    size
        How many of all rows it is about.
    row_ids
        Up to 200 of these, those with the highest loss first.
    about
        What it is found again by among those of its code.
    rule
        What tells its texts, of a group of like ones.
    """

    code: str
    title: str
    severity: Severity
    detector: str
    cause: str
    effect: Evidence
    p_adjusted: float
    cost: float
    share: float
    size: int
    row_ids: tuple[str, ...] = ()
    predicate: Predicate | None = None
    remedies: tuple[Remedy, ...] = ()
    about: tuple[str, ...] = ()
    rule: Rule | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "effect": self.effect.as_dict(),
            "row_ids": list(self.row_ids),
            "predicate": None if self.predicate is None else self.predicate.as_dict(),
            "words": None if self.predicate is None else self.predicate.words,
            "remedies": [asdict(each) for each in self.remedies],
            "about": list(self.about),
            "rule": None if self.rule is None else asdict(self.rule),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Finding:
        """Return the finding that :meth:`as_dict` described."""
        predicate = values["predicate"]
        return cls(
            **{name: values[name] for name in _PLAIN},
            effect=Evidence.from_dict(values["effect"]),
            row_ids=tuple(values["row_ids"]),
            predicate=None if predicate is None else Predicate.from_dict(predicate),
            remedies=tuple(Remedy(**each) for each in values["remedies"]),
            about=tuple(values.get("about", ())),
            rule=read_rule(values.get("rule")),
        )


def is_leak(code: str) -> bool:
    """Whether findings of this code tell leaks; till they are mended no figure can be relied on."""
    return code.startswith("AS4")


_PLAIN = (
    "code", "title", "severity", "detector", "cause", "p_adjusted", "cost", "share", "size",
)  # fmt: skip


@dataclass(frozen=True)
class Looked:
    """What one detector looked at, and what came of it."""

    detector: str
    what: str
    looked_at: int
    suspected: int
    confirmed: int
    skipped: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Where a model fails, as far as these rows can show it.

    Attributes
    ----------
    findings
        The confirmed ones, the costliest first.
    loss
        What a row's loss is, in words; ``mean_loss`` is its mean over all rows.
    looked
        Every detector that ran, those that found nothing included.
    sampling
        What was drawn from the rows and what that can miss; empty when all were read.
    stopped
        Whether it was interrupted, so that some detectors did not run.
    explained
        What a language model made of the findings; None where none was asked.
    strategies
        What could be done, the highest expected gain for its cost first.
    pictures
        What the plots of the page show.
    tried
        What came of fixes; None where none was tried.
    """

    findings: tuple[Finding, ...]
    n: int
    discovery: int
    confirmation: int
    loss: str
    mean_loss: float
    fdr: float
    min_effect: float
    looked: tuple[Looked, ...]
    sampling: str = ""
    stopped: bool = False
    explained: Explained | None = None
    strategies: tuple[Strategy, ...] = ()
    pictures: Pictures | None = None
    tried: Fixes | None = None
    id: str | None = None

    def with_id(self, ledger_id: str) -> Diagnosis:
        """Return the same diagnosis under its run's id in the ledger."""
        return replace(self, id=ledger_id)

    def whole(self) -> Diagnosis:
        """Return the diagnosis itself, for who has no use for half a search.

        Raises
        ------
        KeyboardInterrupt
            When it was interrupted.
        """
        if self.stopped:
            raise KeyboardInterrupt
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return plain | {
            "findings": [each.as_dict() for each in self.findings],
            "looked": [asdict(each) for each in self.looked],
            "strategies": [asdict(each) for each in self.strategies],
            "pictures": None if self.pictures is None else self.pictures.as_dict(),
            "explained": None if self.explained is None else self.explained.as_dict(),
            "tried": None if self.tried is None else self.tried.as_dict(),
        }

    def to_json(self) -> str:
        """Return the diagnosis as one JSON document."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str | bytes) -> Diagnosis:
        """Return the diagnosis that :meth:`to_json` wrote."""
        values = json.loads(text)
        values["findings"] = tuple(Finding.from_dict(each) for each in values["findings"])
        values["looked"] = tuple(Looked(**each) for each in values["looked"])
        some = values.get("strategies", ())
        values["strategies"] = tuple(Strategy(**each) for each in some)
        if values.get("pictures") is not None:
            values["pictures"] = Pictures.from_dict(values["pictures"])
        if values.get("explained") is not None:
            values["explained"] = Explained.from_dict(values["explained"])
        if values.get("tried") is not None:
            values["tried"] = Fixes.from_json(json.dumps(values["tried"]))
        return cls(**values)
