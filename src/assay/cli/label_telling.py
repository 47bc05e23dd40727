"""What ``assay label`` tells: its progress, the expected cost, and what it came to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.cli.output import console, emit_json, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from assay.label.dry import Forecast
    from assay.label.spec import Stage
    from assay.llm import Progress


def tell_labelling(found: dict[str, Any], *, as_json: bool) -> None:
    """Print what a labelling came to, and where its files are."""
    from assay.label.report import render_terminal

    out, check = found["out"], found["check"]
    if as_json:
        paths = {"out": str(out), "check": None if check is None else str(check)}
        emit_json(found["summary"].as_dict() | paths | {"warnings": found["warnings"]})
        return
    console().print(render_terminal(found["summary"]))
    for note in found["warnings"]:
        console().print(note, highlight=False, markup=False, soft_wrap=True)
    for name, path in (("rows to check", check), ("labels", out)):
        if path is not None:
            console().print(f"{name}: {path}", highlight=False, markup=False, soft_wrap=True)


def tell_forecast(found: Forecast, *, as_json: bool) -> None:
    """Print what a labelling would take."""
    if as_json:
        emit_json(found.as_dict())
    else:
        console().print(_forecast(found))


def _forecast(found: Forecast) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from assay.cli.forecast import duration

    table = Table(box=None, header_style="dim")
    for heading in ("model", "calls", "tokens", "US dollars", "time"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, cost in found.costs.items():
        told = (f"{cost.requests:,}", f"{cost.tokens:,}", f"{cost.money:,.4f}")
        table.add_row(name, *told, duration(cost.seconds))
    if found.teaching != 0.0:
        teaching = "unknown" if found.teaching is None else duration(found.teaching)
        table.add_row("fine-tuned student", "", "", "", teaching)
    rows = (
        f"{found.rows:,} rows, {found.copies:,} of them copies, {found.unread:,} without text; "
        f"{found.gold:,} checked rows"
    )
    parts: list[RenderableType] = [Text(rows), Text(), table]
    if sum(cost.requests > 0 for cost in found.costs.values()) > 1:
        more = "A further model is counted as if every row reached it; fewer will."
        parts += [Text(), Text(more, "dim")]
    return Group(*parts)


def say_stage(as_json: bool) -> Callable[[Stage], None]:
    """Return what tells the expected cost of a stronger model before it is asked."""

    def say(stage: Stage) -> None:
        from assay.label.report import cost_text

        if not as_json:
            share = f"{stage.share:.0%}" if stage.share is not None else "some"
            line = f"{share} of the rows go up to {stage.model}: about {cost_text(stage.expected)}"
            console(err=True).print(line, highlight=False, markup=False)

    return say


@contextmanager
def watching() -> Iterator[Callable[[Progress], None]]:
    """Yield what shows the rows that are done, and the question at hand."""
    with progress_bar() as bar:
        rows = bar.add_task("rows", total=None)
        question = bar.add_task("starting", total=None)

        def show(seen: Progress) -> None:
            if seen.what == "rows":
                bar.update(rows, completed=seen.done, total=seen.total)
                return
            bar.update(
                question, description=seen.what, completed=seen.done, total=seen.total or None
            )

        yield show
