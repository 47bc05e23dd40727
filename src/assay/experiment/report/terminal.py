"""A search on a terminal: the headline, and the leaderboard with intervals."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from assay.evidence.figures import duration, estimate_text, span
from assay.experiment.report.story import tell
from assay.experiment.result import ExperimentResult, Standing

SHOWN = 10


def render_terminal(result: ExperimentResult, *, count: int = SHOWN) -> RenderableType:
    """Return the report for ``rich.console.Console.print``."""
    story = tell(result)
    style = "bold green" if result.improved else "bold yellow"
    parts: list[RenderableType] = [Text(), Text(story.headline, style=style)]
    parts += [Text(story.claim)] if story.claim else []
    if result.chosen is not None:
        parts.append(Text(f"Chosen: {result.chosen.name}; {result.chosen.why}.", style="dim"))
    parts += [Text(), leaderboard(result, count), Text()]
    parts += [Text(f"Mind: {each}.", style="yellow") for each in result.notes]
    parts += [Text(story.caution, style="dim"), Text(_time(result), style="dim")]
    return Group(*parts)


def leaderboard(result: ExperimentResult, count: int) -> Table:
    """Return the best ``count`` recipes, and how those that failed did."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    metric = result.task.metric
    for heading in ("", "family", "from"):
        table.add_column(heading, no_wrap=True)
    table.add_column(metric, justify="right", no_wrap=True)
    table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("ledger", style="dim", no_wrap=True)
    for place, each in enumerate(result.standings[:count], start=1):
        chosen = result.chosen is not None and result.chosen.number == each.number
        table.add_row(
            f"{place}",
            Text(each.family, style="bold" if chosen else ""),
            each.origin,
            *_figures(each),
            f"{each.seconds:.1f}",
            each.id,
        )
    return table


def _figures(standing: Standing) -> tuple[Text, str]:
    if standing.estimate is not None:
        return Text(estimate_text(standing.estimate)), span(standing.estimate)
    if standing.state == "failed":
        return Text("failed", style="red"), standing.reason or ""
    return Text("given up early", style="dim"), ""


def _time(result: ExperimentResult) -> str:
    first = result.first_seconds
    usable = "" if first is None else f", the first recipe judged after {duration(first)}"
    return f"{duration(result.seconds)}{usable}; {result.run} in the ledger."
