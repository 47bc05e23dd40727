"""What explaining gives: hypotheses, those that were borne out and those that were not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.diagnose.explain.pairs import Pair
from assay.evidence import Evidence
from assay.tables.predicate import Predicate


@dataclass(frozen=True)
class Idea:
    """A hypothesis as it was proposed.

    Attributes
    ----------
    name
        The failing rows in a few words.
    words
        The hypothesis, in a sentence.
    predicate
        What picks the rows that it says fail; None where what was written is no such test.
    by_changing
        Whether it is to be tested on changed rows, in place of a predicate.
    pairs
        These rows: with what it names, and without.
    refused
        Why there is no test.
    """

    name: str
    words: str
    predicate: Predicate | None = None
    refused: str = ""
    by_changing: bool = False
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Hypothesis:
    """A proposed explanation of one finding, tested on rows that whoever proposed it did not see.

    Attributes
    ----------
    finding
        The place among the diagnosis's findings, from 0.
    effect
        Loss of the rows that its predicate picks less that of the others, on the half of the
        rows that the finding was confirmed on; of pairs, made of the finding's rows of that half,
        loss with what it names less loss without. None where it was not tested.
    p_adjusted
        Benjamini-Hochberg over every hypothesis that was tested.
    covers
        Share of the finding's rows, on that half, that the predicate picks.
    dropped
        Why it was not kept; empty for one that was.
    pairs
        The made rows that it was tested on: what was changed, and what each cost, beside what the
        row costs as it is.
    """

    finding: int
    name: str
    words: str
    predicate: Predicate | None = None
    effect: Evidence | None = None
    p_adjusted: float | None = None
    covers: float | None = None
    dropped: str = ""
    pairs: tuple[Mapping[str, Any], ...] = ()

    @property
    def test(self) -> str:
        """What it was tested on, in words; empty where there is no test."""
        if self.pairs:
            rows = f"{len(self.pairs)} of the finding's rows"
            return f"{rows}, changed to have what it names and to lack it"
        return "" if self.predicate is None else f"unseen rows where {self.predicate.words}"

    @property
    def kept(self) -> bool:
        """Whether the unseen rows bore it out."""
        return not self.dropped

    def as_dict(self) -> dict[str, Any]:
        """Return the hypothesis as plain JSON values."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "kept": self.kept,
            "test": self.test or None,
            "pairs": [dict(each) for each in self.pairs],
            "predicate": None if self.predicate is None else self.predicate.as_dict(),
            "effect": None if self.effect is None else self.effect.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Hypothesis:
        """Return the hypothesis that :meth:`as_dict` described."""
        predicate, effect = values["predicate"], values["effect"]
        return cls(
            **{name: values[name] for name in _PLAIN},
            predicate=None if predicate is None else Predicate.from_dict(predicate),
            effect=None if effect is None else Evidence.from_dict(effect),
            pairs=tuple(values.get("pairs", ())),
        )


_PLAIN = ("finding", "name", "words", "p_adjusted", "covers", "dropped")


@dataclass(frozen=True)
class Explained:
    """What came of asking why.

    Attributes
    ----------
    model
        Who stated the hypotheses.
    hypotheses
        In the order of the findings, those that were kept first.
    skipped
        Findings for which there is no hypothesis, and why.
    money
        US dollars that the model took.
    """

    model: str
    hypotheses: tuple[Hypothesis, ...] = ()
    skipped: tuple[str, ...] = ()
    money: float = 0.0

    @property
    def dropped(self) -> tuple[Hypothesis, ...]:
        """What the unseen rows did not bear out."""
        return tuple(each for each in self.hypotheses if not each.kept)

    def of(self, finding: int) -> tuple[Hypothesis, ...]:
        """Return what explains the finding at this place, and was borne out."""
        return tuple(each for each in self.hypotheses if each.kept and each.finding == finding)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "model": self.model,
            "hypotheses": [each.as_dict() for each in self.hypotheses],
            "skipped": list(self.skipped),
            "money": self.money,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Explained:
        """Return what :meth:`as_dict` described."""
        hypotheses = tuple(Hypothesis.from_dict(each) for each in values["hypotheses"])
        return cls(values["model"], hypotheses, tuple(values["skipped"]), values["money"])
