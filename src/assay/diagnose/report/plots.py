"""Plots of a diagnosis as inline SVG: reliability, confusion, map of rows, drift.

Places are percentages, so letters keep their size at any width; colours come from the page's
style sheet, so that they follow its theme. What a colour says, a shape or a figure says too.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from assay.diagnose.pictures.spec import Bin, Confusion, Drifted, Map
from assay.evidence.figures import ticks

SQUARE, LINE, EDGE = 300, 24, 8
LEFT = 0.12
"""Share of the width that the names of values take."""
NAMED = 0.3
LONGEST = 16


def reliability(bins: tuple[Bin, ...]) -> Markup:
    """Return how often the model is right against what it stated, with intervals."""
    low = min(0.5, *(each.stated for each in bins), *(each.low for each in bins))
    low = ticks(0, low, 5)[-1] if low > 0 else 0.0

    def across(value: float) -> float:
        return LEFT + (1 - LEFT) * (value - low) / (1 - low)

    def down(value: float) -> float:
        return EDGE + (SQUARE - 2 * EDGE) * (1 - (value - low) / (1 - low))

    marks = [_line("grid", LEFT, down(tick), 1, down(tick)) for tick in ticks(low, 1, 4)]
    marks += [_text(LEFT - 0.02, down(tick) + 4, f"{tick:.0%}", "end") for tick in ticks(low, 1, 4)]
    marks += [_text(across(tick), SQUARE + 12, f"{tick:.0%}") for tick in ticks(low, 1, 4)]
    marks.append(_line("ideal", LEFT, down(low), 1, down(1)))
    for each in bins:
        x = across(each.stated)
        told = f"stated {each.stated:.1%}, right {each.right:.1%} of {each.n:,} rows"
        marks.append(_line("span", x, down(each.low), x, down(each.high)))
        marks.append(_dot("full", x, down(each.right), 4.5, told))
    described = "; ".join(f"stated {each.stated:.0%}, right {each.right:.0%}" for each in bins)
    title = "How often the answer is right (up) against the probability stated for it (across)"
    return _svg("picture", SQUARE + 20, title, described, marks)


def confusion(found: Confusion) -> Markup:
    """Return a grid of counts: true classes as lines, what they were taken for as columns."""
    size = len(found.names)
    cell = (1 - NAMED) / max(size, 1)
    marks = []
    for column, name in enumerate(found.names):
        marks.append(_text(NAMED + (column + 0.5) * cell, 12, _short(name, max(3, 60 // size))))
    for line, (name, counts) in enumerate(zip(found.names, found.counts, strict=True)):
        y, total = LINE * (line + 1), max(1, sum(counts))
        marks.append(_text(NAMED - 0.02, y + 16, _short(name, LONGEST), "end"))
        for column, count in enumerate(counts):
            kind = "right" if line == column else "wrong"
            told = f"{name} taken for {found.names[column]}: {count:,}, {count / total:.1%}"
            marks.append(
                Markup(
                    '<rect class="cell {}" x="{}" y="{}" width="{}" height="{}" '
                    'fill-opacity="{:.3f}"><title>{}</title></rect>'
                ).format(
                    kind, _percent(NAMED + column * cell), y, _percent(cell), LINE - 1,
                    0.08 + 0.6 * count / total, told,
                )
            )  # fmt: skip
            marks.append(_text(NAMED + (column + 0.5) * cell, y + 16, f"{count:,}", kind="count"))
    mistakes = [
        f"{name} taken for {other} {count:,} times"
        for name, counts in zip(found.names, found.counts, strict=True)
        for other, count in zip(found.names, counts, strict=True)
        if count and name != other
    ]
    title = "What each true class (a line) was taken for (a column)"
    return _svg("picture", LINE * (size + 1), title, "; ".join(mistakes), marks)


def row_map(found: Map) -> Markup:
    """Return rows by likeness; one with a loss above the mean is a filled, larger dot."""
    marks = [
        _dot(
            "fails" if fails else "fine",
            0.01 + 0.98 * x,
            EDGE + (SQUARE - 2 * EDGE) * (1 - y),
            4.0 if fails else 2.5,
        )
        for x, y, fails in sorted(found.points, key=lambda each: each[2])
    ]
    failing = sum(fails for _, _, fails in found.points)
    described = (
        f"{len(found.points):,} of {found.n:,} rows; {failing:,} of these, the filled dots, have a "
        "loss above the mean"
    )
    return _svg("picture", SQUARE, f"Rows by {found.by}", described, marks)


def drift(found: tuple[Drifted, ...]) -> Markup:
    """Return a bar for each column: how far its values lie from those of the training rows."""
    marks = []
    for line, each in enumerate(found):
        y = LINE * line
        marks.append(_text(NAMED - 0.02, y + 16, _short(each.column, 2 * LONGEST), "end"))
        width = (0.9 - NAMED) * each.distance
        marks.append(
            Markup('<rect class="bar" x="{}" y="{}" width="{}" height="{}"/>').format(
                _percent(NAMED), y + 5, _percent(width), LINE - 10
            )
        )
        marks.append(_text(NAMED + width + 0.015, y + 16, f"{each.distance:.2f}", "start"))
    described = "; ".join(f"{each.column}: {each.distance:.2f}" for each in found)
    title = "How far each column lies from the training rows, 0 to 1"
    return _svg("picture", LINE * len(found), title, described, marks)


def _line(kind: str, x: float, y: float, to_x: float, to_y: float) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(
        kind, _percent(x), y, _percent(to_x), to_y
    )


def _dot(kind: str, x: float, y: float, radius: float, told: str = "") -> Markup:
    words = Markup("<title>{}</title>").format(told) if told else ""
    return Markup('<circle class="{}" cx="{}" cy="{:.1f}" r="{}">{}</circle>').format(
        kind, _percent(x), y, radius, words
    )


def _text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "name") -> Markup:
    return Markup('<text class="{}" x="{}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, _percent(x), y, anchor, words
    )


def _svg(kind: str, height: float, title: str, described: str, marks: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="{}" height="{}" role="img" aria-label="{}"><title>{}</title>'
        "<desc>{}</desc>{}</svg>"
    ).format(kind, height, title, title, described, Markup("").join(marks))


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _short(words: str, longest: int) -> str:
    return words if len(words) <= longest else words[: longest - 1] + "…"
