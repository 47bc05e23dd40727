"""Showing what a run will ask of models, and afterwards how far the estimate was off."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from assay.cli.output import console, emit_json
from assay.llm.forecast import Error, Estimate, Forecast


def show_forecast(forecast: Forecast, *, as_json: bool) -> None:
    """Print the answer of a dry run."""
    if as_json:
        emit_json(forecast.as_dict())
    else:
        console().print(forecast_table(forecast))


def forecast_table(forecast: Forecast) -> RenderableType:
    """Return a row for each model; below, how it is told and what will be refused."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("model", overflow="fold")
    for heading in ("requests", "tokens", "dollars", "at most", "time"):
        table.add_column(heading, justify="right")
    for each in forecast.by_model:
        money = (f"{each.money:.4f}", f"{each.worst_money:.4f}")
        counted = (f"{each.requests:,}", f"{each.tokens:,}")
        table.add_row(Text(each.model), *counted, *money, duration(each.seconds))
    lines: list[RenderableType] = [table] if forecast.questions else [Text("No model is asked.")]
    lines += [Text(_told_by(each), "dim") for each in forecast.by_model]
    lines += [Text(f"refused: {each}", "yellow") for each in forecast.refused]
    return Group(*lines)


def _told_by(each: Estimate) -> str:
    known = f", {each.cached:,} of them answered already" if each.cached else ""
    by = f"; told by {each.basis}" if each.basis else ""
    return f"{each.model}: {each.question}, {each.rows:,} rows{known}{by}"


def error_lines(errors: Iterable[Error]) -> Text:
    """Return one line for each model: what was expected, what it was."""
    return Text("\n").join(_error_line(each) for each in errors)


def _error_line(error: Error) -> Text:
    tokens = f"{error.tokens:,} tokens, estimated {error.tokens_expected:,}{_off(error.tokens_off)}"
    money = (
        f"{error.money:.4f} US dollars, estimated {error.money_expected:.4f}{_off(error.money_off)}"
    )
    return Text(f"{error.model} took {tokens}; {money}")


def _off(share: float | None) -> str:
    return "" if share is None else f" ({share:+.0%})"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
