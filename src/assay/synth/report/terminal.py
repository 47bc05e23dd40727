"""The report on a terminal."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from assay.evidence import Decision
from assay.evidence.figures import duration, estimate_text, span
from assay.synth.report.story import headline, made, measures, tell
from assay.synth.result import SynthesisResult

STYLES: dict[Decision, str] = {"kept": "green", "dropped": "red", "undecided": "yellow"}


def render_terminal(result: SynthesisResult) -> RenderableType:
    """Return the whole report for ``rich.console.Console.print``."""
    style = "bold green" if result.helped else "bold yellow"
    parts: list[RenderableType] = [Text(), Text(headline(result), style=style)]
    parts += [Text(each) for each in tell(result)]
    parts += [Text(), *(Text(made(each)) for each in result.batches), Text()]
    if result.constraints:
        held = f"{len(result.constraints)} constraints hold in every row"
        parts += [Text(f"{held}: assay synth --constraints writes them to a file.", style="dim")]
    if result.doses:
        parts += [_doses(result), Text()]
    parts += [Text(each, style="dim") for each in measures(result)]
    if result.samples:
        parts += [Text(), _samples(result)]
    parts += [Text(f"Mind: {each}.", style="yellow") for each in result.notes]
    cost = result.cost
    told = f"{duration(cost.seconds)}, {cost.calls} model calls, {cost.tokens} tokens"
    parts.append(Text(f"{told}, ${cost.money:.2f}; {result.run} in the ledger.", style="dim"))
    return Group(*parts)


def _doses(result: SynthesisResult) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("screened", no_wrap=True)
    table.add_column("dose", no_wrap=True)
    ordered = any(each.over for each in result.doses)
    if ordered:
        table.add_column("measured against")
    for name in ("gain", "95% interval", "adjusted p"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in result.doses:
        decision, gain = each.verdict.decision, each.verdict.main
        table.add_row(
            Text(decision, STYLES[decision]),
            each.name,
            *([each.over or "-"] if ordered else []),
            estimate_text(gain),
            span(gain),
            f"{each.adjusted:.3g}",
        )
    return table


def _samples(result: SynthesisResult) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("made", ratio=1, overflow="fold")
    table.add_column("nearest real row", ratio=1, overflow="fold")
    table.add_column("alike", justify="right", no_wrap=True)
    for each in result.samples:
        table.add_row(shown(each.made), shown(each.nearest), f"{each.similarity:.2f}")
    return table


def shown(row: dict[str, object], longest: int = 160) -> Text:
    """Return a row in short; what it holds is never markup."""
    only = next(iter(row.values())) if len(row) == 1 else None
    text = str(only) if only is not None else json.dumps(row, ensure_ascii=False, default=str)
    return Text(text if len(text) <= longest else text[: longest - 1] + "…")
