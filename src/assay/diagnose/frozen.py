"""Confirmed findings as regression tests: no later model may do worse on them.

The test file is a fixed template; what was found stands beside it as JSON, so that data is never
code.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from assay.config import write_text
from assay.diagnose.case import Case
from assay.diagnose.detectors import registered_detectors
from assay.diagnose.excess import excess_loss
from assay.diagnose.harness import examine
from assay.diagnose.spec import Diagnosis
from assay.errors import InputError
from assay.tables.predicate import Predicate

PREDICTIONS, MODEL, ROWS = "ASSAY_PREDICTIONS", "ASSAY_MODEL", "ASSAY_ROWS"
SLICES = ("AS101", "AS102")
TEMPLATE = '''\
"""Findings of `assay diagnose`, frozen: no later model may do worse on them.

The findings stand in {data}. Set "mended" to true there once a fault is mended:
from then on it must not come back. By default what was diagnosed is read again; ASSAY_PREDICTIONS
names another file of predictions, ASSAY_MODEL (package.module:NAME) with ASSAY_ROWS a model.
"""

from pathlib import Path

import pytest

from assay.diagnose.frozen import Frozen

FROZEN = Frozen.read(Path(__file__).with_name("{data}"))


@pytest.mark.parametrize("finding", FROZEN.findings, ids=lambda finding: finding.name)
def test_finding(finding):
    effect = FROZEN.measured(finding)
    assert effect <= finding.limit, finding.told(effect)
'''


@dataclass(frozen=True)
class FrozenFinding:
    """What a later model is held to.

    Attributes
    ----------
    known
        Upper end of the effect's interval: more than that is worse than it was.
    gone
        Lower end: once mended, the effect must stay below it.
    """

    code: str
    title: str
    detector: str
    measure: str
    known: float
    gone: float
    predicate: dict[str, Any] | None = None
    mended: bool = False

    @property
    def name(self) -> str:
        """What pytest calls it."""
        return f"{self.code} {self.title}"

    @property
    def of_slice(self) -> bool:
        """Whether it is of rows that a predicate picks, and so is measured on all of these."""
        return self.predicate is not None and self.code in SLICES

    @property
    def limit(self) -> float:
        """The largest effect that passes."""
        return self.gone if self.mended else self.known

    def told(self, effect: float) -> str:
        """Return what a failing test says."""
        state = "it was mended, and is back" if self.mended else "it got worse"
        return f"{self.name}: {state}: {self.measure} {effect:+.4f}, at most {self.limit:+.4f}"


@dataclass(frozen=True)
class Subject:
    """What was diagnosed, to be read again; paths are relative to the folder of the tests."""

    project: str | None = None
    predictions: str | None = None
    rows: str | None = None
    model: str | None = None
    training: str | None = None
    truth: str | None = None
    text: str | None = None
    group: str | None = None
    weight: str | None = None
    time: str | None = None
    protected: tuple[str, ...] = ()
    annotator: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Frozen:
    """Frozen findings, with what they are measured on."""

    subject: Subject
    findings: tuple[FrozenFinding, ...]
    folder: Path = Path()

    @classmethod
    def read(cls, path: Path) -> Frozen:
        """Return what :func:`freeze` wrote.

        Raises
        ------
        InputError
            When the file holds something else.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
            subject = TypeAdapter(Subject).validate_python(values["subject"])
            findings = TypeAdapter(tuple[FrozenFinding, ...]).validate_python(values["findings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                "These are no frozen findings.",
                given=path.name,
                next_step="write them with assay diagnose --freeze",
            ) from error
        return cls(subject, findings, path.parent)

    @cached_property
    def case(self) -> Case:
        """What the model at hand says: of the environment's choice, or as it was diagnosed."""
        from assay.diagnose.given import read_case
        from assay.diagnose.models import imported_model
        from assay.tables import read_table

        subject = self.subject
        file, model = os.environ.get(PREDICTIONS), os.environ.get(MODEL)
        rows = os.environ.get(ROWS) or self._path(subject.rows)
        if file is None and model is None:
            if subject.project is not None:
                return self._of_project()
            file, model = self._path(subject.predictions), subject.model
        if file is None and rows is None:
            raise InputError(f"{MODEL} needs rows.", next_step=f"name them in {ROWS}")
        training = self._path(subject.training)
        return read_case(
            read_table(str(file or rows)),
            truth=subject.truth,
            model=None if file is not None or model is None else imported_model(model),
            text=subject.text,
            group=subject.group,
            weight=subject.weight,
            time=subject.time,
            training=None if training is None else read_table(training),
            protected=subject.protected,
            annotator=subject.annotator,
            seed=subject.seed,
        )

    def measured(self, finding: FrozenFinding) -> float:
        """Return the effect on the model at hand; 0 where it is not found any more.

        A slice is measured on all its rows. What has no predicate is looked for again by its
        detector, on one half of the rows, and counts where the other half confirms it.
        """
        if finding.predicate is not None and finding.of_slice:
            mask = Predicate.from_dict(finding.predicate).select(self.case.rows)
            effect = excess_loss(self.case, mask, name=finding.measure)
            return 0.0 if effect is None else effect.estimate
        found = self._found_again.get((finding.code, finding.title))
        return 0.0 if found is None else found

    @cached_property
    def _found_again(self) -> dict[tuple[str, str], float]:
        """Code and title of what the detectors that are needed find now, with its effect."""
        wanted = {each.detector for each in self.findings if not each.of_slice}
        detectors = [each for each in registered_detectors() if each.name in wanted]
        return {
            (each.code, each.title): each.effect.estimate
            for detector in detectors
            for each in reversed(examine(self.case, [detector], loss="").findings)
        }

    def _of_project(self) -> Case:
        from assay.diagnose.projects import project_case
        from assay.project import Project

        project = Project.open(self.folder / str(self.subject.project))
        with project.gateway(capability="diagnose") as gateway:
            return project_case(project, gateway)

    def _path(self, name: str | None) -> str | None:
        return None if name is None else str(self.folder / name)


def freeze(diagnosis: Diagnosis, path: Path, subject: Subject) -> Path:
    """Write a test for each finding to ``path``, and the findings beside it; return the latter.

    Parameters
    ----------
    path
        A Python file that pytest collects.
    subject
        With absolute paths.

    Raises
    ------
    InputError
        When ``path`` is no Python file, or nothing was confirmed.
    """
    if path.suffix != ".py":
        raise InputError(
            "Frozen findings are tests.", given=path.name, allowed="a name like test_findings.py"
        )
    if not diagnosis.findings:
        raise InputError("Nothing was confirmed, so there is nothing to freeze.")
    findings = [
        FrozenFinding(
            each.code,
            each.title,
            each.detector,
            each.effect.name,
            known=each.effect.interval.high,
            gone=each.effect.interval.low,
            predicate=None if each.predicate is None else each.predicate.as_dict(),
        )
        for each in diagnosis.findings
    ]
    data = path.with_name(f"{path.stem}.json")
    kept = {
        "subject": TypeAdapter(Subject).dump_python(_relative(subject, path.parent)),
        "findings": TypeAdapter(list[FrozenFinding]).dump_python(findings),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(data, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    write_text(path, TEMPLATE.format(data=data.name))
    return data


def _relative(subject: Subject, folder: Path) -> Subject:
    from dataclasses import replace

    def named(path: str | None) -> str | None:
        if path is None:
            return None
        return Path(os.path.relpath(path, folder.absolute())).as_posix()

    return replace(
        subject,
        project=named(subject.project),
        predictions=named(subject.predictions),
        rows=named(subject.rows),
        training=named(subject.training),
    )
