"""Plots of a search as inline SVG: intervals, history, bars, parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from assay.evidence import Evidence
from assay.evidence.figures import Scale, estimate_text, span
from assay.experiment.result import ExperimentResult, Standing

STRIP, HISTORY, PARALLEL = 26, 230, 240
MOST_AXES = 7

_MARK = '<circle class="{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>'


def strip(fact: Evidence, scale: Scale, kind: str = "") -> Markup:
    """Return one interval with its estimate."""
    y = STRIP / 2
    if fact.estimate not in scale:
        return Markup("")
    marks = Markup('<line class="span" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
        _percent(scale(fact.interval.low)), _percent(scale(fact.interval.high)), y=y
    ) + Markup('<circle class="dot" cx="{}" cy="{}" r="4.5"/>').format(
        _percent(scale(fact.estimate)), y
    )
    title = f"{fact.name} {estimate_text(fact)}, interval {span(fact)}"
    return _svg(f"strip {kind}", STRIP, title, marks)


def bar(share: float, title: str) -> Markup:
    """Return a bar as long as a share of the width."""
    mark = Markup('<rect class="bar" x="0" y="6" height="12" width="{}"/>').format(_percent(share))
    return _svg("strip", STRIP, title, mark)


def history(result: ExperimentResult) -> Markup:
    """Return every finished recipe's score in the order of entry, and the best so far."""
    finished = sorted(result.finished, key=lambda each: each.number)
    scores = [each.score for each in finished if each.score is not None]
    if not scores:
        return Markup("")
    across = Scale(-0.5, max(each.number for each in finished) + 0.5)
    up = _clipped(scores)
    best, marks = -math.inf, Markup("")
    for each in finished:
        assert each.score is not None  # noqa: S101 - finished ones have one
        leads = each.score > best
        best = max(best, each.score)
        marks += Markup(
            '<circle class="{}" cx="{}" cy="{}" r="4"><title>{}</title></circle>'
        ).format(
            "dot leads" if leads else "dot",
            _percent(across(each.number)),
            _percent(1 - min(max(up(each.score), 0.0), 1.0)),
            f"{each.number}: {each.family} {each.score:.4f}",
        )
    levels = Markup("").join(_level(1 - up(tick), tick) for tick in up.ticks(4))
    return _svg("plot", HISTORY, "Scores in the order of entry", levels + marks)


def parallel(result: ExperimentResult, family: str) -> Markup:
    """Return the tries of a family as lines through their values, the score as the last axis."""
    tries = [
        each
        for each in result.standings
        if each.family == family and each.values and each.score is not None
    ]
    names = list(tries[0].values)[: MOST_AXES - 1] if tries else []
    if len(tries) < 3 or not names:
        return Markup("")
    axes = [_places([each.values.get(name) for each in tries]) for name in names]
    axes.append(_places([each.score for each in tries]))
    xs = [number / (len(axes) - 1) for number in range(len(axes))]
    order = sorted(range(len(tries)), key=lambda each: axes[-1][each])
    top = set(order[-max(1, len(order) // 4) :])
    lines = Markup("").join(
        Markup('<polyline class="{}" points="{}"/>').format(
            "thread best" if each in top else "thread",
            " ".join(
                f"{100 * x:.2f},{100 - 100 * axis[each]:.2f}"
                for x, axis in zip(xs, axes, strict=True)
            ),
        )
        for each in order
    )
    drawn = Markup(
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="{}">{}</svg>'
    ).format(PARALLEL - 30, lines)
    labels = Markup("").join(
        Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
            _percent(x),
            PARALLEL - 8,
            "start" if x == 0 else "end" if x == 1 else "middle",
            name,
        )
        for x, name in zip(xs, [*names, "score"], strict=True)
    )
    return _svg("plot", PARALLEL, f"Tries of {family}", drawn + labels)


def families(result: ExperimentResult) -> list[str]:
    """Return the families that were tried often enough to be drawn, the best first."""
    counts: dict[str, int] = {}
    for each in result.standings:
        if each.values and each.score is not None:
            counts[each.family] = counts.get(each.family, 0) + 1
    return [name for name, count in counts.items() if count >= 3][:4]


def values_text(standing: Standing) -> str:
    """Return the values of a try on one line."""
    return ", ".join(f"{name} {value}" for name, value in standing.values.items())


def _path(xs: Sequence[float], ys: Sequence[float]) -> str:
    return " ".join(f"{100 * x:.2f},{100 - 100 * y:.2f}" for x, y in zip(xs, ys, strict=True))


def _places(values: Sequence[Any]) -> list[float]:
    """Return each value's place between the least and the greatest, by rank, in [0, 1]."""
    numeric = all(isinstance(each, int | float) for each in values)
    known = sorted(set(values)) if numeric else sorted({str(each) for each in values})
    if len(known) == 1:
        return [0.5] * len(values)
    places = {each: number / (len(known) - 1) for number, each in enumerate(known)}
    return [places[each if numeric else str(each)] for each in values]


def _clipped(scores: list[float]) -> Scale:
    """Return a scale of the better half with room below: one awful score hides nothing."""
    ordered = sorted(scores)
    middle, best = ordered[len(ordered) // 2], ordered[-1]
    low = max(ordered[0], middle - 2 * (best - middle)) if best > middle else ordered[0]
    room = 0.08 * ((best - low) or abs(best) or 1.0)
    return Scale(low - room, best + room)


def _level(y: float, value: float) -> Markup:
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        '<text x="0" y="{y}" dy="-4">{}</text>'
    ).format(f"{value:,.4g}", y=_percent(y))


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _svg(kind: str, height: int, title: str, marks: Markup) -> Markup:
    return Markup(
        '<svg class="{}" height="{}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(kind, height, title, title, marks)
