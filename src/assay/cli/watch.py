"""Watching a run: what is tried now as a progress bar, each verdict as a line."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from assay.cli.output import console
from assay.evidence import Verdict
from assay.improve import events
from assay.improve.events import Event

COLOURS = {"kept": "green", "dropped": "red", "undecided": "yellow"}


class Watch:
    """Listens to a run. Everything goes to standard error."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console(err=True),
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)
        self._doing = "starting"

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show ``event``."""
        match event:
            case events.SourceStarted(name):
                self._begin(f"asking {name}")
            case events.ProposalStarted(name):
                self._begin(f"screening {name}")
            case events.Confirming():
                self._begin("confirming on the vault")
            case events.Progress(what, done, total):
                shown = f"{self._doing}: {what}" if what not in ("fits",) else self._doing
                self._progress.update(
                    self._task, description=escape(shown), completed=done, total=total
                )
            case events.Screened(attempt):
                self._print(verdict_line(attempt.name, attempt.verdict))
            case events.Passed(skipped):
                self._print(
                    f"[dim]passed over[/]  {escape(skipped.name)}: {escape(skipped.reason)}"
                )

    def _begin(self, doing: str) -> None:
        self._doing = doing
        self._progress.reset(self._task, description=escape(doing), total=None)

    def _print(self, line: str) -> None:
        self._progress.console.print(line, highlight=False)


def verdict_line(name: str, verdict: Verdict) -> str:
    """Return one line of Rich markup: the decision, the proposal, the gain."""
    colour = COLOURS[verdict.decision]
    gain = verdict.main
    low, high = gain.interval.low, gain.interval.high
    figures = f"{gain.estimate:+.4f} [{low:+.4f}, {high:+.4f}]"
    return f"[{colour}]{verdict.decision:<9}[/]  {escape(figures)}  {escape(name)}"
