"""The report on a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.evidence import Evidence
from assay.improve.report.story import metric_name, tell
from assay.improve.spec import Attempt, ImproveResult

STYLES = {"kept": "green", "dropped": "red", "undecided": "yellow"}


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
        parts += [_attempts(result), Text()]
    parts += [_skipped(result)] if result.skipped else []
    parts += [_cost(result), Text(story.caution, style="dim"), Text()]
    return Group(*parts)


def _attempts(result: ImproveResult) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("screened")
    table.add_column(f"gain in {metric_name(result)}", justify="right")
    table.add_column("95 % interval", justify="right")
    table.add_column("p", justify="right")
    table.add_column("ledger", style="dim")
    table.add_column("proposal")
    for each in result.attempts:
        table.add_row(*_attempt(each))
    return table


def _attempt(attempt: Attempt) -> tuple[RenderableType, ...]:
    gain: Evidence = attempt.verdict.main
    low, high = gain.interval.low, gain.interval.high
    return (
        Text(attempt.verdict.decision, style=STYLES[attempt.verdict.decision]),
        f"{gain.estimate:+.4f}",
        f"{low:+.4f} to {high:+.4f}",
        "" if gain.p_value is None else f"{gain.p_value:.2g}",
        attempt.verdict_id,
        Text(attempt.name),
    )


def _skipped(result: ImproveResult) -> RenderableType:
    lines = [Text(f"passed over {each.name}: {each.reason}", "dim") for each in result.skipped]
    return Padding(Group(*lines), (0, 0, 1, 0))


def _cost(result: ImproveResult) -> Text:
    cost = result.cost
    calls = f"{cost.calls:,} model calls ({cost.cached:,} from the ledger), {cost.tokens:,} tokens"
    text = f"{cost.seconds:.0f} s, {calls}, ${cost.money:.2f}; {result.run} in the ledger"
    return Text(text if result.stopped is None else f"{text}. Stopped early: {result.stopped}.")
