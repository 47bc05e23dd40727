"""Figures as text, scales, and the page's colours."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evidence import Evidence, Interval
from assay.evidence.figures import (
    Scale,
    decimals,
    duration,
    estimate_text,
    gain_text,
    span,
    ticks,
)
from assay.improve.report.terminal import strip

FINITE = st.floats(-1e9, 1e9)


def fact(estimate: float, low: float, high: float, name: str = "gain in accuracy") -> Evidence:
    return Evidence(name, estimate, Interval(low, high), 100, "made up")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (fact(0.14, 0.059, 0.216), "+0.140"),
        (fact(0.0004, 0.0001, 0.0007), "+0.00040"),
        (fact(-12345.6, -13000, -11000), "-12,346"),
        (fact(0.81, 0.72, 0.88, "accuracy"), "0.810"),
        (fact(0.5, 0.5, 0.5, "accuracy"), "0.500"),
        (fact(31.4159, 31.0, 31.8, "mae"), "31.42"),
    ],
)
def test_a_figure_has_the_digits_that_its_interval_warrants(shown: Evidence, told: str) -> None:
    assert estimate_text(shown) == told


def test_an_interval_is_told_in_the_digits_of_its_estimate() -> None:
    gain = fact(0.14, 0.059, 0.216)
    assert span(gain) == "+0.059 to +0.216"
    assert gain_text(gain) == "+0.140 (95% interval +0.059 to +0.216)"


@given(FINITE, st.floats(0, 1e9))
def test_digits_are_never_too_few_to_tell_the_bounds_apart(estimate: float, half: float) -> None:
    shown = fact(estimate, estimate - half, estimate + half)
    assert 0 <= decimals(shown) <= 6
    if half > 1e-5 * max(1.0, abs(estimate)):
        low, high = span(shown).split(" to ")
        assert low != high


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1.54, "1.5 s"),
        (59.4, "59 s"),
        (59.7, "1 min 0 s"),
        (631, "10 min 31 s"),
        (7261, "2 h 1 min"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-0.03, 0.17), (0.91, 0.94), (5, 5), (0, 4e6)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 1 <= len(found) <= 11
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)


@given(st.lists(st.tuples(FINITE, FINITE, FINITE).map(sorted), min_size=1, max_size=9))
def test_a_scale_holds_every_interval_inside_its_ends(values: list[list[float]]) -> None:
    facts = [fact(middle, low, high) for low, middle, high in values]
    scale = Scale.over(facts, 0.0)
    for each in facts:
        places = [scale(v) for v in (each.interval.low, each.estimate, each.interval.high, 0.0)]
        assert all(0 < place < 1 for place in places)
        assert places[0] <= places[1] <= places[2]
        assert len(strip(each, scale)) == 25


def test_a_drawn_interval_shows_where_no_effect_lies() -> None:
    scale = Scale(-1, 1)
    assert strip(fact(0.5, 0.2, 0.8), scale, 11) == "     ┊──●─ "
    assert strip(fact(0.1, -0.6, 0.8), scale, 11) == "  ───┼●─── "


def themes() -> list[dict[str, str]]:
    style = files("assay.improve.report").joinpath("page.css").read_text(encoding="utf-8")
    return [dict(re.findall(r"--(\w+): (#\w{6}|\d+)", block))
            for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]]  # fmt: skip


def rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))


def luminance(colour: tuple[float, ...]) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_every_text_meets_the_contrast_of_wcag_aa(theme: dict[str, str]) -> None:
    for ground in ("page", "raised"):
        for text in ("ink", "soft", "accent", "against"):
            assert contrast(rgb(theme[text]), rgb(theme[ground])) >= 4.5, (text, ground)
    share = int(theme["heat"]) / 100
    for colour in ("accent", "against"):
        pairs = zip(rgb(theme[colour]), rgb(theme["raised"]), strict=True)
        hottest = tuple(share * over + (1 - share) * under for over, under in pairs)
        assert contrast(rgb(theme["ink"]), hottest) >= 4.5, colour
