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
from assay.ledger.spending import Spent
from assay.llm import Progress as Asking
from assay.llm.forecast import Estimate, Forecast
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


def test_a_question_to_a_model_shows_rate_spend_time_and_errors(bar: Progress) -> None:
    watch = Watch(bar)
    watch(events.SourceStarted("label"))
    seen = Asking("choose: openai:x", 30, 90, 12.4, 0.5, 240.0, {"status 500": 2, "rate": 1200})
    watch(events.Progress(seen.what, seen.done, seen.total, seen))
    assert bar.tasks[0].description == (
        "asking label: choose: openai:x · 12/s · $0.5000 · 4 min to go"
        " · errors: 1,200 rate, 2 status 500"
    )
    quiet = Asking("embed: local:minilm", 30, 30)
    watch(events.Progress(quiet.what, quiet.done, quiet.total, quiet))
    assert bar.tasks[0].description == "asking label: embed: local:minilm"


def test_the_estimate_comes_first_and_its_error_last(bar: Progress) -> None:
    told = Estimate("openai:x", "choose", 10, 4, 12, 3000, 12, 0.01, 0.02, 3.0, "a rule of thumb")
    forecast = Forecast((told,), ("features: no price of this model is known",))
    watch = Watch(bar)
    watch(events.Estimated(forecast))
    watch(events.Settled(forecast.errors([Spent("openai:x", 12, 2000, 10, 0.008)])))
    text = printed(bar)
    assert "openai:x: choose, 10 rows, 4 of them answered already; told by a rule" in text
    assert "refused: features: no price" in text
    assert "took 2,010 tokens, estimated 3,012 (+50%); 0.0080 US dollars" in text


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
