"""Watching a run: what is tried now as a progress bar, each verdict as a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress
from rich.text import Text

from assay.cli.forecast import error_lines, forecast_table
from assay.cli.output import progress_bar
from assay.evidence import Verdict
from assay.improve import events
from assay.improve.events import Event, Listener
from assay.improve.report.figures import estimate_text, span
from assay.improve.report.terminal import STYLES

FITS, LOOKING_BACK = "fits", "learning curve"
"""Progress of the screen, which the proposal's name tells better, and of the end of a run."""


@contextmanager
def watching() -> Iterator[Listener]:
    """Yield a listener that shows a run on standard error."""
    with progress_bar() as progress:
        yield Watch(progress)


class Watch:
    """Listens to a run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._doing = "starting"
        self._task = progress.add_task(self._doing, total=None)

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
                self._progress.update(
                    self._task, description=self._told(what), completed=done, total=total
                )
            case events.Screened(attempt):
                self._print(verdict_line(attempt.name, attempt.verdict))
            case events.Estimated(forecast):
                self._progress.console.print(forecast_table(forecast))
            case events.Settled(errors):
                self._print(error_lines(errors))
            case events.Passed(skipped):
                self._print(Text(f"passed over {skipped.name}: {skipped.reason}", "dim"))

    def _begin(self, doing: str) -> None:
        self._doing = doing
        # Only a new task forgets the total of the one before.
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(doing, total=None)

    def _told(self, what: str) -> str:
        if what in (FITS, LOOKING_BACK):
            return self._doing if what == FITS else what
        return f"{self._doing}: {what}"

    def _print(self, line: Text) -> None:
        self._progress.console.print(line)


def verdict_line(name: str, verdict: Verdict) -> Text:
    """Return one line: the decision, the gain with its interval, the proposal."""
    gain = verdict.main
    decision = (f"{verdict.decision:<9}  ", STYLES[verdict.decision])
    return Text.assemble(decision, f"{estimate_text(gain)} ({span(gain)})  ", name)
