"""Watching a run: what is tried now as a progress bar, each verdict as a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import Progress
from rich.text import Text

from assay.cli.forecast import duration, error_lines, forecast_table
from assay.cli.output import progress_bar
from assay.evidence import Verdict
from assay.evidence.figures import estimate_text, span
from assay.improve import events
from assay.improve.events import Event, Listener
from assay.improve.report.terminal import STYLES
from assay.llm import Progress as Asking

FITS, LOOKING_BACK = "fits", "learning curve"
"""Progress of the screen, which the proposal's name tells better, and of the end of a run."""


@contextmanager
def watching(doing: str = "starting") -> Iterator[Listener]:
    """Yield a listener that shows a run on standard error."""
    with progress_bar() as progress:
        yield Watch(progress, doing)


class Watch:
    """Listens to a run."""

    def __init__(self, progress: Progress, doing: str = "starting") -> None:
        self._progress = progress
        self._doing = doing
        self._task = progress.add_task(self._doing, total=None)

    def __call__(self, event: Event) -> None:
        """Show ``event``."""
        match event:
            case events.Planned(plan):
                self._print(Text(str(plan), "dim"))
            case events.SourceStarted(name):
                self._begin(f"asking {name}")
            case events.ProposalStarted(name):
                self._begin(f"screening {name}")
            case events.Confirming():
                self._begin("confirming on the vault")
            case events.Progress(what, done, total, asking):
                told = self._told(what)
                if asking is not None:
                    told = " · ".join([told, *figures_of(asking)])
                self._progress.update(self._task, description=told, completed=done, total=total)
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


def figures_of(asking: Asking) -> list[str]:
    """Return how a question to a model goes: rate, spend, time to go, errors by kind."""
    told = []
    if asking.rate:
        told.append(f"{asking.rate:,.0f}/s" if asking.rate >= 10 else f"{asking.rate:.1f}/s")
    if asking.money:
        told.append(f"${asking.money:.4f}")
    if asking.eta is not None and asking.done < asking.total:
        told.append(f"{duration(asking.eta)} to go")
    errors = [f"{count:,} {kind}" for kind, count in sorted(asking.errors.items())]
    if errors:
        told.append("errors: " + ", ".join(errors))
    return told


def verdict_line(name: str, verdict: Verdict) -> Text:
    """Return one line: the decision, the gain with its interval, the proposal."""
    gain = verdict.main
    decision = (f"{verdict.decision:<9}  ", STYLES[verdict.decision])
    return Text.assemble(decision, f"{estimate_text(gain)} ({span(gain)})  ", name)
