"""The demo: Reuters R8, a plain model, the loop, and whether the vault told the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.improve.events import Listener, ignore
from assay.improve.spec import ImproveResult

if TYPE_CHECKING:
    from assay.evidence import Evidence

__all__ = ["DemoResult", "run"]


@dataclass(frozen=True)
class DemoResult:
    """What the vault promised, and what turned out on the official test split.

    Attributes
    ----------
    result
        The run of the loop.
    before, after, gain
        The metric of the baseline, of the final recipe, and their difference, on the test split.
    test_rows
        Rows of the test split.
    seconds
        Wall time, installation and downloads left out.
    """

    result: ImproveResult
    before: Evidence
    after: Evidence
    gain: Evidence
    test_rows: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "result": self.result.as_dict(),
            "test": {name: getattr(self, name).as_dict() for name in ("before", "after", "gain")},
            "kept_its_word": self.kept_its_word,
            "seconds": self.seconds,
        }

    @property
    def promised(self) -> Evidence | None:
        """The vault's estimate of the gain."""
        confirmed = self.result.confirmed
        released = confirmed is not None and confirmed.verdict.evidence
        return confirmed.verdict.main if confirmed is not None and released else None

    @property
    def kept_its_word(self) -> bool | None:
        """Whether the vault's interval holds the gain on the test split."""
        return None if self.promised is None else self.gain.estimate in self.promised.interval


def prepare() -> None:
    """Fetch everything that the demo needs, so that the rest works offline."""
    from assay.demo import reuters

    reuters.fetch()


def run(
    path: Path, *, seed: int = 0, fresh: bool = False, on_event: Listener = ignore
) -> DemoResult:
    """Run the whole demo in the new project folder ``path``.

    The test split is read only after the run has ended.

    Parameters
    ----------
    path
        A folder that does not exist yet, or one that an interrupted demo left.
    seed
        Draws the 400 labelled and 3,000 unlabelled rows, and is the project's seed.
    fresh
        Remove what a finished demo left in ``path`` and start again. An interrupted demo always
        continues.

    Raises
    ------
    ProjectError
        When ``path`` holds a finished demo and ``fresh`` is not set, or anything else.
    """
    from assay.demo import reuters
    from assay.demo.folder import demo_project
    from assay.evidence import compare, estimate
    from assay.improve import improve
    from assay.recipe import Tools, fit_recipe

    prepare()
    started = time.monotonic()
    project = demo_project(path, seed=seed, fresh=fresh)
    result = improve(project, on_event=on_event)

    task, test = project.task, reuters.test_split()
    with project.gateway(capability="demo") as gateway:
        tools = Tools.of(project.ledger(), gateway)
        predicted = [
            fit_recipe(each, project.search(), task, tools=tools, seed=seed).predict(test)
            for each in (result.baseline, result.recipe)
        ]
    truth = test[task.target].to_numpy()
    options: dict[str, Any] = {"metric": task.metric, "classes": task.class_names, "seed": seed}
    return DemoResult(
        result=result,
        before=estimate(truth, predicted[0], **options),
        after=estimate(truth, predicted[1], **options),
        gain=compare(truth, *predicted, **options),
        test_rows=test.height,
        seconds=round(time.monotonic() - started, 1),
    )
