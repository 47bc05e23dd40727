"""Plots as inline SVG that fill whatever width they are given.

Places are percentages, so lines and letters keep their size at any width; colours come from
the page's style sheet, so that they follow its theme.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from assay.evidence import Evidence
from assay.evidence.figures import Scale, estimate_text, span
from assay.improve.spec import CurvePoint

STRIP, AXIS, CURVE = 26, 22, 250
"""Heights in pixels."""


def strip(
    fact: Evidence, scale: Scale, kind: str, *, least: float = 0.0, zero: bool = True
) -> Markup:
    """Return one interval with its estimate, beside a line at no effect.

    ``least`` draws the smallest effect worth having, where it is above 0.
    """
    y = STRIP / 2
    marks = [_vertical(scale(0), STRIP, "zero")] if zero and 0 in scale else []
    if least > 0:
        marks.append(_vertical(scale(least), STRIP, "least"))
    marks.append(
        Markup('<line class="span" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(
            _percent(scale(fact.interval.low)), _percent(scale(fact.interval.high)), y=y
        )
    )
    marks.append(_dot(scale(fact.estimate), str(y), 4.5))
    title = f"{fact.name} {estimate_text(fact)}, interval {span(fact)}"
    return _svg(f"strip {kind}", STRIP, title, marks)


def axis(scale: Scale, *, about: int = 5) -> Markup:
    """Return the round values under a column of strips."""
    labels = [_tick(scale(tick), "15", tick) for tick in scale.ticks(about)]
    return Markup('<svg class="axis" height="{}" aria-hidden="true">{}</svg>').format(
        AXIS, Markup("").join(labels)
    )


def learning_curve(points: Sequence[CurvePoint], title: str) -> Markup:
    """Return the metric of both recipes against the number of search rows."""
    befores, afters = [each.before for each in points], [each.after for each in points]
    up = Scale.over([*befores, *afters])
    counts = [float(each.rows) for each in points]
    across = Scale(min(counts) - 0.12 * (max(counts) - min(counts)), max(counts) * 1.03)
    xs = [across(count) for count in counts]
    levels = [_level(1 - up(tick), tick) for tick in up.ticks(5)]
    curves = [_curve(xs, befores, up, "before"), _curve(xs, afters, up, "after")]
    plot = Markup('<svg class="plot" width="100%" height="{}">{}</svg>').format(
        CURVE, Markup("").join([*levels, *curves])
    )
    labels = [_tick(x, str(CURVE + 18), count) for x, count in zip(xs, counts, strict=True)]
    described = "; ".join(
        f"{each.rows:,} rows: {estimate_text(each.before)}, then {estimate_text(each.after)}"
        for each in points
    )
    return _svg("curve", CURVE + AXIS, title, [plot, *labels], described)


def _curve(xs: Sequence[float], facts: Sequence[Evidence], up: Scale, kind: str) -> Markup:
    """Return a band, a line through the estimates, and a dot for each."""
    upper = [_place(x, 1 - up(each.interval.high)) for x, each in zip(xs, facts, strict=True)]
    lower = [_place(x, 1 - up(each.interval.low)) for x, each in zip(xs, facts, strict=True)]
    middle = [_place(x, 1 - up(each.estimate)) for x, each in zip(xs, facts, strict=True)]
    # The stretched drawing holds what may be stretched; the dots must stay round.
    stretched = Markup(
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">'
        '<polygon class="band" points="{}"/><polyline class="line" points="{}"/></svg>'
    ).format(" ".join([*upper, *reversed(lower)]), " ".join(middle))
    dots = [_dot(x, _percent(1 - up(each.estimate)), 4) for x, each in zip(xs, facts, strict=True)]
    return Markup('<g class="{}">{}{}</g>').format(kind, stretched, Markup("").join(dots))


def _level(y: float, value: float) -> Markup:
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        '<text x="0" y="{y}" dy="-4">{}</text>'
    ).format(_number(value), y=_percent(y))


def _tick(x: float, y: str, value: float) -> Markup:
    anchor = "start" if x < 0.03 else "end" if x > 0.97 else "middle"
    return Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>').format(
        _percent(x), y, anchor, _number(value)
    )


def _vertical(x: float, height: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{x}" x2="{x}" y1="0" y2="{}"/>').format(
        kind, height, x=_percent(x)
    )


def _dot(x: float, y: str, radius: float) -> Markup:
    return Markup('<circle class="dot" cx="{}" cy="{}" r="{}"/>').format(_percent(x), y, radius)


def _svg(
    kind: str, height: float, title: str, marks: Sequence[Markup], described: str = ""
) -> Markup:
    words = Markup("<title>{}</title>").format(title)
    if described:
        words += Markup("<desc>{}</desc>").format(described)
    return Markup('<svg class="{}" height="{}" role="img" aria-label="{}">{}{}</svg>').format(
        kind, height, title, words, Markup("").join(marks)
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _place(x: float, y: float) -> str:
    return f"{100 * x:.2f},{100 * y:.2f}"


def _number(value: float) -> str:
    return f"{value:,.6g}" if abs(value) > 1e-12 else "0"
