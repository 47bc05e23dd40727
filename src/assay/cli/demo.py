"""``assay demo``: the main job on real data, and whether the vault told the truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, console, emit_json, say_page

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assay.demo import DemoResult


def demo(
    path: Annotated[Path, typer.Option(help="A new folder.")] = Path("assay-demo"),
    seed: Annotated[int, typer.Option(help="Draws the rows.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace a finished demo.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the main job on real data: 400 labelled news stories and 3,000 without a label."""
    from assay import demo as main_job
    from assay.cli.watch import watching
    from assay.improve.report import render_terminal, write_html

    main_job.prepare()
    with watching() as watch:
        found = main_job.run(path, seed=seed, fresh=fresh, on_event=watch)
    page = path / "report.html"
    write_html(found.result, page)
    if as_json:
        emit_json(found.as_dict())
        return
    console().print(render_terminal(found.result))
    console().print(told(found))
    say_page(page)


def told(found: DemoResult) -> RenderableType:
    """Return what the vault promised beside what turned out on the test split."""
    from rich.table import Table
    from rich.text import Text

    metric = found.result.task.metric
    table = Table(
        title=f"What the vault promised, and what turned out ({metric})",
        title_justify="left",
        title_style="bold",
        box=None,
        header_style="dim",
    )
    for heading in ("", "rows", "before", "after", "gain", "95 % interval of the gain"):
        table.add_column(heading, justify="left" if not heading else "right")
    confirmed = found.result.confirmed
    if confirmed is not None and confirmed.before is not None and confirmed.after is not None:
        facts = (confirmed.before, confirmed.after, confirmed.verdict.main)
        table.add_row("vault, promised", *_figures(*facts))
    table.add_row("official test split", *_figures(found.before, found.after, found.gain))
    kept = found.kept_its_word
    if kept is not None:
        word = "inside" if kept else "OUTSIDE"
        table.caption = Text(f"The gain on the test split lies {word} the vault's interval.")
        table.caption_justify = "left"
    return table


def _figures(*facts: object) -> tuple[str, ...]:
    from assay.evidence import Evidence

    before, after, gain = (each for each in facts if isinstance(each, Evidence))
    return (
        f"{gain.n:,}",
        f"{before.estimate:.4f}",
        f"{after.estimate:.4f}",
        f"{gain.estimate:+.4f}",
        str(gain.interval),
    )
