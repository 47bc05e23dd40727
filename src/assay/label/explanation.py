"""Explanation: why one row got its label, told in a terminal, as JSON or in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from assay.label.shown import visible
from assay.label.spec import AGREEMENT

SHOWN_WORDS = 8
SHOWN_TEXT = 300


@dataclass(frozen=True)
class CheckedRow:
    """A checked row that reads like the explained one.

    Attributes
    ----------
    similarity
        Cosine of the two embeddings, in [-1, 1].
    """

    row_id: str
    text: str
    label: Any
    similarity: float


@dataclass(frozen=True)
class Piece:
    """A word of the text (a few words of a long one; a column of a table), and what it did.

    Attributes
    ----------
    effect
        How much lower the model's probability of the label is without this piece; negative
        where the piece spoke against it.
    """

    text: str
    effect: float


@dataclass(frozen=True)
class Explanation:
    """Why one row got its label.

    Attributes
    ----------
    row_id, text
        The row, and what the annotators read of it.
    label, probability, status, why
        As in the labelling's table.
    decision
        What the status rests on, the threshold included, in plain words.
    threshold
        Labels with a probability above it are accepted; None where there is none.
    votes
        By annotator, the probability of each class; of an extraction, the share of its answers
        that agree on each field.
    neighbours
        The checked rows that are nearest, nearest first.
    pieces
        What the model read, in the text's order, with what each piece did; empty where it was
        not asked.
    model
        The one that was asked about the pieces.
    notes
        What could not be shown, and why.
    """

    row_id: str
    text: str
    label: Any
    probability: float | None
    status: str
    why: str
    decision: str
    threshold: float | None
    votes: Mapping[str, Mapping[str, float]]
    neighbours: tuple[CheckedRow, ...] = ()
    pieces: tuple[Piece, ...] = ()
    model: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def telling(self) -> tuple[Piece, ...]:
        """The pieces that moved the model most, the strongest first."""
        ranked = sorted(self.pieces, key=lambda each: -abs(each.effect))
        return tuple(each for each in ranked[:SHOWN_WORDS] if each.effect != 0)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, the row's text as it is."""
        return asdict(self)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield headings and what stands under them; every line is safe to print."""
        yield "row", visible(f"{self.row_id}: {shorten_text(self.text)}")
        sure = "" if self.probability is None else f", probability {self.probability:.2f}"
        yield "label", visible(f"{self.label}{sure}")
        yield self.status, visible(self.decision)
        for name, shares in self.votes.items():
            best = sorted(shares.items(), key=lambda each: -each[1])
            best = [*shares.items()] if name == AGREEMENT else best[:3]
            yield f"vote: {name}", visible(", ".join(f"{each} {p:.2f}" for each, p in best))
        for piece in self.telling:
            yield f"{piece.effect:+.3f}", visible(shorten_text(piece.text, 60))
        for near in self.neighbours:
            told = f"{near.label}: {shorten_text(near.text, 100)} ({near.row_id})"
            yield f"near {near.similarity:.2f}", visible(told)
        for note in self.notes:
            yield "note", visible(note)

    def __str__(self) -> str:
        lines = [(visible(heading), told) for heading, told in self.lines()]
        width = max(len(heading) for heading, _ in lines)
        return "\n".join(f"{heading:>{width}}  {told}" for heading, told in lines)

    def _repr_html_(self) -> str:
        """Return a table for a notebook; whatever a row holds is text in it."""
        rows = "".join(
            f"<tr><th style='text-align:right'>{escape(visible(heading))}</th>"
            f"<td style='text-align:left'>{escape(told)}</td></tr>"
            for heading, told in self.lines()
        )
        return f"<table>{rows}</table>{self._marked()}"

    def _marked(self) -> str:
        """Return the pieces in their order: green spoke for the label, red against it."""
        most = max((abs(each.effect) for each in self.pieces), default=0.0)
        if most == 0:
            return ""
        spans = (
            f"<span title='{each.effect:+.3f}' style='background:rgba("
            f"{'0,150,60' if each.effect > 0 else '200,40,40'},"
            f"{0.6 * abs(each.effect) / most:.2f})'>{escape(visible(each.text))}</span> "
            for each in self.pieces
        )
        return f"<p>{''.join(spans)}</p>"


def shorten_text(text: str, length: int = SHOWN_TEXT) -> str:
    """Return the beginning of ``text``, ended by an ellipsis where something was left out."""
    return text if len(text) <= length else text[: length - 1] + "…"
