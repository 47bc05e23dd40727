"""Plots as inline SVG, coloured by the page's own style sheet, so that they follow its theme."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from assay.evidence import Evidence
from assay.improve.spec import Attempt, CurvePoint

WIDTH = 760
ROW = 30
LABEL = 300
"""Room for the proposals' names, in pixels of the drawing."""

LONGEST_NAME = 44
Scale = Callable[[float], float]


def forest(attempts: Sequence[Attempt], min_effect: float) -> Markup:
    """Return the screening effects, one line each, with a line at no effect."""
    gains = [each.verdict.main for each in attempts]
    bounds = [0.0, min_effect]
    for each in gains:
        bounds += [each.interval.low, each.interval.high]
    scale = _scale(bounds, LABEL, WIDTH - 16)
    height = ROW * len(attempts) + 40
    marks = [_axis(scale, bounds, height - 26), _vertical(scale(0), height - 26, "zero")]
    if min_effect > 0:
        marks.append(_vertical(scale(min_effect), height - 26, "least"))
    for number, (attempt, gain) in enumerate(zip(attempts, gains, strict=True)):
        marks.append(_effect(attempt, gain, scale, ROW * number + ROW / 2))
    return _svg(height, "Gain of each proposal with its interval, by screening", marks)


def learning_curve(points: Sequence[CurvePoint]) -> Markup:
    """Return the metric of both recipes against the number of search rows."""
    height, left, bottom = 260, 56, 220
    bounds = [
        bound
        for point in points
        for fact in (point.before, point.after)
        for bound in (fact.interval.low, fact.interval.high)
    ]
    across = _scale([float(point.rows) for point in points], left + 10, WIDTH - 90)
    up = _scale(bounds, bottom, 14)
    marks = [_levels(up, bounds, left)]
    for name, facts in (
        ("before", [point.before for point in points]),
        ("after", [point.after for point in points]),
    ):
        xs = [across(point.rows) for point in points]
        marks += [_band(xs, facts, up, name), _line(xs, facts, up, name)]
    for point in points:
        x = across(point.rows)
        marks.append(_text(x, bottom + 22, f"{point.rows:,}", "tick", anchor="middle"))
    marks.append(_text(WIDTH / 2, bottom + 38, "search rows", "tick", anchor="middle"))
    return _svg(height + 4, "Learning curve of the first and the last recipe", marks)


def promise(before: Evidence, after: Evidence) -> Markup:
    """Return the metric on the vault, before and after, with intervals."""
    bounds = [
        bound for each in (before, after) for bound in (each.interval.low, each.interval.high)
    ]
    scale = _scale(bounds, 90, WIDTH - 70)
    marks = [_axis(scale, bounds, 78)]
    for name, fact, y in (("before", before, 24.0), ("after", after, 56.0)):
        low, high, middle = (
            scale(v) for v in (fact.interval.low, fact.interval.high, fact.estimate)
        )
        marks += [
            _text(4, y + 4, name, "name"),
            Markup('<line class="span {}" x1="{:.1f}" x2="{:.1f}" y1="{y}" y2="{y}"/>').format(
                name, low, high, y=y
            ),
            Markup('<circle class="dot {}" cx="{:.1f}" cy="{}" r="5"/>').format(name, middle, y),
            _text(high + 8, y + 4, f"{fact.estimate:.3f}", "value"),
        ]
    return _svg(112, "The metric on the vault before and after", marks)


def _effect(attempt: Attempt, gain: Evidence, scale: Scale, y: float) -> Markup:
    low, high = scale(gain.interval.low), scale(gain.interval.high)
    decision = attempt.verdict.decision
    short = attempt.name
    if len(short) > LONGEST_NAME:
        short = short[: LONGEST_NAME - 1] + "…"
    title = f"{attempt.name}: {gain} ({decision}, {attempt.verdict_id})"
    return Markup(
        '<g class="{decision}"><title>{title}</title>{name}'
        '<line class="span" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{middle:.1f}" cy="{y}" r="5"/></g>'
    ).format(
        decision=decision,
        title=title,
        name=_text(4, y + 4, short, "name"),
        low=low,
        high=high,
        middle=scale(gain.estimate),
        y=y,
    )


def _band(xs: Sequence[float], facts: Sequence[Evidence], up: Scale, name: str) -> Markup:
    upper = [f"{x:.1f},{up(fact.interval.high):.1f}" for x, fact in zip(xs, facts, strict=True)]
    lower = [f"{x:.1f},{up(fact.interval.low):.1f}" for x, fact in zip(xs, facts, strict=True)]
    points = " ".join([*upper, *reversed(lower)])
    return Markup('<polygon class="band {}" points="{}"/>').format(name, points)


def _line(xs: Sequence[float], facts: Sequence[Evidence], up: Scale, name: str) -> Markup:
    points = " ".join(f"{x:.1f},{up(fact.estimate):.1f}" for x, fact in zip(xs, facts, strict=True))
    label = _text(xs[-1] + 10, up(facts[-1].estimate) + 4, name, f"name {name}")
    dots = Markup("").join(
        Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(
            name, x, up(fact.estimate)
        )
        for x, fact in zip(xs, facts, strict=True)
    )
    return Markup('<polyline class="curve {}" points="{}"/>').format(name, points) + dots + label


def _axis(scale: Scale, bounds: Sequence[float], y: float) -> Markup:
    return Markup("").join(
        _text(scale(tick), y + 20, _number(tick), "tick", anchor="middle")
        for tick in ticks(min(bounds), max(bounds))
    )


def _levels(up: Scale, bounds: Sequence[float], left: float) -> Markup:
    return Markup("").join(
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(
            left, WIDTH - 80, y=up(tick)
        )
        + _text(left - 8, up(tick) + 4, _number(tick), "tick", anchor="end")
        for tick in ticks(min(bounds), max(bounds))
    )


def _vertical(x: float, height: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{h}"/>').format(
        kind, x=x, h=height
    )


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, text
    )


def _svg(height: float, title: str, marks: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(WIDTH, height, title, escape(title), Markup("").join(marks))


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    room = (high - low) or abs(high) or 1.0
    low, high = low - 0.04 * room, high + 0.04 * room
    return lambda value: start + (value - low) / (high - low) * (end - start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers within [low, high], about so many."""
    if high <= low:
        return [low]
    rough = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float) -> str:
    return f"{value:.6g}" if value else "0"
