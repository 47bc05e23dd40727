"""A labelling told in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.label.summary import Summary

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from assay.label.spec import Cost


def render_terminal(summary: Summary) -> RenderableType:
    """Return the figures, what each step and model added, and what to do next."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [_figures(summary), Text(), _steps(summary)]
    if len(summary.stages) > 1:
        parts += [Text(), _stages(summary)]
    parts += [Text(note, "yellow") for note in summary.notes]
    parts += [Text(), Text.assemble(("Next: ", "bold"), next_step(summary))]
    return Group(*parts)


def next_step(summary: Summary) -> str:
    """Return what to do next, in plain words."""
    if summary.accuracy is None:
        return (
            "fill in the labels of the rows to check and run again with --gold, beside those you "
            "gave: ten checked rows or more tell how good these labels are; without any there is "
            "no guarantee."
        )
    failed = summary.status.get("failed", 0)
    if failed:
        return f"{failed:,} rows have no answer; see why, then run the same command again."
    if summary.status.get("review", 0):
        return "check the rows to review; each checked row added to --gold sharpens the guarantee."
    return "use the labels."


def _figures(summary: Summary) -> Table:
    from rich.table import Table
    from rich.text import Text

    counts = ", ".join(f"{count:,} {name}" for name, count in summary.status.items())
    told = {"rows": f"{summary.rows:,} ({counts})", "coverage": f"{summary.coverage:.1%} accepted"}
    told["guarantee"] = summary.guarantee
    if summary.accuracy is not None:
        fact = summary.accuracy
        told["accuracy"] = (
            f"{fact.estimate:.1%} of all labels ({fact.interval.low:.1%} to "
            f"{fact.interval.high:.1%}), measured on {fact.n:,} checked rows"
        )
    if summary.copies:
        told["copies"] = f"{summary.copies:,} rows copy an earlier one; asked once"
    spend = summary.spend
    told["cost"] = f"${spend.money:,.4f}, {spend.calls:,} calls, {spend.tokens:,} tokens"
    told["time"] = f"{summary.seconds:,.1f} s"
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    for name, value in told.items():
        table.add_row(name, Text(value))
    return table


def _steps(summary: Summary) -> Table:
    table = _table("step", "used", "alone", "with it", "why")
    for step in summary.steps:
        used = "yes" if step.used else "no"
        table.add_row(step.name, used, _share(step.alone), _share(step.accuracy), step.why)
    return table


def _stages(summary: Summary) -> Table:
    table = _table("model", "used", "rows reaching it", "expected", "measured", "why")
    for stage in summary.stages:
        table.add_row(
            stage.model,
            "yes" if stage.used else "no",
            _share(stage.share),
            cost_text(stage.expected),
            cost_text(stage.measured),
            stage.why,
        )
    return table


def cost_text(cost: Cost | None) -> str:
    """Return requests and US dollars."""
    return "" if cost is None else f"{cost.requests:,} calls, ${cost.money:,.4f}"


def _table(*headings: str) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
