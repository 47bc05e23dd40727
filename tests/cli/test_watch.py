"""What a person sees while a run works."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from assay.cli.watch import Watch
from assay.evidence import plan
from assay.improve import events
from assay.improve.spec import Skipped
from made_up_result import NASTY, made_up_result


@pytest.fixture
def bar() -> Progress:
    console = Console(file=io.StringIO(), width=200)
    return Progress(TextColumn("{task.description}", markup=False), console=console)


def printed(bar: Progress) -> str:
    file = bar.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_the_bar_tells_what_is_tried_now_and_forgets_the_step_before(bar: Progress) -> None:
    watch = Watch(bar)
    watch(events.SourceStarted("label"))
    watch(events.Progress("choose", 3, 10))
    assert bar.tasks[0].description == "asking label: choose"
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (3, 10)
    watch(events.ProposalStarted("more rows", "because"))
    assert len(bar.tasks) == 1
    assert (bar.tasks[0].completed, bar.tasks[0].total) == (0, None)
    watch(events.Progress("fits", 1, 30))
    assert bar.tasks[0].description == "screening more rows"
    watch(events.Confirming())
    assert bar.tasks[0].description == "confirming on the vault"
    watch(events.Progress("learning curve", 1, 10))
    assert bar.tasks[0].description == "learning curve"


def test_what_the_rows_can_show_is_told_first(bar: Progress) -> None:
    Watch(bar)(events.Planned(plan(300, 100)))
    (line,) = printed(bar).splitlines()
    assert line.startswith("At 80% power, screening on 300 rows shows gains from 0.0454,")


def test_each_verdict_is_a_line_as_it_falls_and_names_are_no_markup(bar: Progress) -> None:
    watch = Watch(bar)
    for attempt in made_up_result(3).attempts:
        watch(events.Screened(attempt))
    watch(events.Passed(Skipped("[red]label[/]", "no pool", "event-1")))
    lines = printed(bar).splitlines()
    assert [line.split()[0] for line in lines] == ["kept", "dropped", "undecided", "passed"]
    assert "+0.060 (+0.040 to +0.080)" in lines[0]
    assert NASTY in lines[0]
    assert "[red]label[/]: no pool" in lines[3]
