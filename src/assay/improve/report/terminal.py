"""The report on a terminal."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.evidence import Decision, Evidence
from assay.evidence.figures import Scale, duration, estimate_text, span
from assay.improve.report.story import counted, metric_name, tell
from assay.improve.spec import ImproveResult

STYLES: dict[Decision, str] = {"kept": "green", "dropped": "red", "undecided": "yellow"}
ROOMY = 112
"""So many columns hold a drawing of the intervals beside the figures."""
STRIP = 25


def render_terminal(result: ImproveResult) -> RenderableType:
    """Return the whole report for ``rich.console.Console.print``."""
    story = tell(result)
    parts: list[RenderableType] = [
        Text(),
        Text(story.headline, style="bold green" if result.improved else "bold yellow"),
        Text(story.claim),
        Text(),
    ]
    if result.attempts:
        parts += [Attempts(result), Text()]
    parts += [Text(f"Mind: {each}.", style="yellow") for each in result.warnings]
    parts += [_skipped(result)] if result.skipped else []
    parts += [Text(story.caution, style="dim"), _cost(result)]
    return Group(*parts)


class Attempts:
    """The table of attempts; where there is room the intervals are drawn."""

    def __init__(self, result: ImproveResult) -> None:
        self._result = result
        gains = [each.verdict.main for each in result.attempts]
        self._scale = Scale.over(gains, 0.0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table that fits."""
        roomy = options.max_width >= ROOMY
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column("screened", no_wrap=True)
        table.add_column("proposal", ratio=1, overflow="fold")
        table.add_column("gain", justify="right", no_wrap=True)
        table.add_column("95% interval", justify="right", no_wrap=True)
        if roomy:
            table.add_column(f"gain in {metric_name(self._result)}", width=STRIP, no_wrap=True)
        table.add_column("ledger", style="dim", no_wrap=True)
        for each in self._result.attempts:
            decision, gain = each.verdict.decision, each.verdict.main
            table.add_row(
                Text(decision, STYLES[decision]),
                Text(each.name),
                estimate_text(gain),
                span(gain),
                *([Text(strip(gain, self._scale), STYLES[decision])] if roomy else []),
                each.verdict_id,
            )
        yield table


def strip(fact: Evidence, scale: Scale, width: int = STRIP) -> str:
    """Return the interval drawn in characters; ``┊`` marks no effect."""

    def cell(value: float) -> int:
        return min(max(int(scale(value) * width), 0), width - 1)

    drawn = [" "] * width
    low, high = cell(fact.interval.low), cell(fact.interval.high)
    drawn[low : high + 1] = "─" * (high + 1 - low)
    zero = cell(0)
    drawn[zero] = "┼" if low <= zero <= high else "┊"
    drawn[cell(fact.estimate)] = "●"
    return "".join(drawn)


def _skipped(result: ImproveResult) -> RenderableType:
    lines = [Text(f"passed over {each.name}: {each.reason}", "dim") for each in result.skipped]
    return Padding(Group(*lines), (0, 0, 1, 0))


def _cost(result: ImproveResult) -> Text:
    cost = result.cost
    calls = f"{counted(cost.calls, 'model call')}, {counted(cost.cached, 'answer')} from the ledger"
    text = (
        f"{duration(cost.seconds)}, {calls}, {counted(cost.tokens, 'token')}, ${cost.money:.2f}; "
        f"{result.run} in the ledger."
    )
    stopped = "" if result.stopped is None else f" Stopped early: {result.stopped.rstrip('.')}."
    return Text(text + stopped, style="dim")
