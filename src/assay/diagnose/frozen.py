"""Confirmed findings that later models are held to, measured on the model at hand."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from assay.diagnose.case import Case
from assay.diagnose.detectors import registered_detectors
from assay.diagnose.excess import excess_loss
from assay.diagnose.harness import examine
from assay.diagnose.pictures.measure import Embed
from assay.diagnose.rules import NearRule, Rule
from assay.diagnose.spec import Detector
from assay.errors import InputError
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate
from assay.task import Kind

PREDICTIONS, MODEL, ROWS = "ASSAY_PREDICTIONS", "ASSAY_MODEL", "ASSAY_ROWS"
SLICE = "AS101"


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
    about: tuple[str, ...] = ()
    rule: Rule | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What it is found again by; of files that were written before, the title."""
        return (self.code, *(self.about or (self.title,)))

    @property
    def name(self) -> str:
        """What pytest calls it."""
        return f"{self.code} {self.title}"

    @property
    def of_slice(self) -> bool:
        """Whether conditions or a rule pick its rows, so that it is measured on all of these."""
        return self.rule is not None or (self.predicate is not None and self.code == SLICE)

    @property
    def conditions(self) -> Predicate | None:
        """What picks its rows; None where nothing in words does."""
        return None if self.predicate is None else Predicate.from_dict(self.predicate)

    def select(self, case: Case) -> Mask:
        """Return (n,) which rows a slice is about."""
        if self.rule is not None:
            return self.rule.select(case)
        return Predicate.from_dict(self.predicate or {}).select(case.rows)

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
    """What was diagnosed, to be read again; paths are relative to the folder of the tests.

    Attributes
    ----------
    imports
        The folder that the model's module is imported from.
    """

    project: str | None = None
    predictions: str | None = None
    rows: str | None = None
    model: str | None = None
    imports: str | None = None
    training: str | None = None
    truth: str | None = None
    text: str | None = None
    kind: Kind | None = None
    group: str | None = None
    weight: str | None = None
    time: str | None = None
    protected: tuple[str, ...] = ()
    annotator: str | None = None
    embed: str | None = None
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
        from assay.tables import read_table

        subject = self.subject
        file, model = os.environ.get(PREDICTIONS), os.environ.get(MODEL)
        rows = os.environ.get(ROWS) or self._path(subject.rows)
        imports = None
        if file is None and model is None:
            if subject.project is not None:
                return self._of_project()
            file, model = self._path(subject.predictions), subject.model
            imports = self._path(subject.imports)
        if file is None and rows is None:
            raise InputError(f"{MODEL} needs rows.", next_step=f"name them in {ROWS}")
        training = self._path(subject.training)
        return self._embedded(
            read_case(
                read_table(str(file or rows)),
                truth=subject.truth,
                model=None if file is not None or model is None else _imported(model, imports),
                text=subject.text,
                kind=subject.kind,
                group=subject.group,
                weight=subject.weight,
                time=subject.time,
                training=None if training is None else read_table(training),
                protected=subject.protected,
                annotator=subject.annotator,
                seed=subject.seed,
            )
        )

    def measured(self, finding: FrozenFinding) -> float:
        """Return the effect on the model at hand; 0 where it is not found any more.

        A slice, a class, and what else its detector can measure without a search, are measured on
        all their rows. The rest is looked for again, on one half of the rows, and counts where the
        other half confirms it.
        """
        if finding.of_slice:
            effect = excess_loss(self.case, finding.select(self.case), name=finding.measure)
            return 0.0 if effect is None else effect.estimate
        again = self._again(finding)
        if again is None:
            return self._found_again.get(finding.key, 0.0)
        effect = again(self.case, finding.code, finding.about, finding.conditions)
        return 0.0 if effect is None else effect.estimate

    def _again(self, finding: FrozenFinding) -> Callable[..., Evidence | None] | None:
        """Return what measures a finding without a search; None where it must be found again."""
        again: Any = getattr(self._detector(finding.detector), "again", None)
        return again if finding.about else None

    def _detector(self, name: str) -> Detector:
        if name not in self._detectors:
            raise InputError(
                "A finding was frozen by a detector that is not installed.",
                given=name,
                allowed=", ".join(self._detectors),
                next_step="install what brought it, or take the finding out of the file",
            )
        return self._detectors[name]

    @cached_property
    def _detectors(self) -> dict[str, Detector]:
        return {each.name: each for each in registered_detectors()}

    @cached_property
    def _found_again(self) -> dict[tuple[str, ...], float]:
        """What is found again by, of the detectors that are needed, with its effect now."""
        searched = [each for each in self.findings if not each.of_slice and not self._again(each)]
        return {
            (each.code, *names): each.effect.estimate
            for name in {each.detector for each in searched}
            for each in reversed(examine(self.case, [self._detector(name)], loss="").findings)
            for names in (each.about, (each.title,))
        }

    def _of_project(self) -> Case:
        from assay.diagnose.projects import project_case, recipe_embedding
        from assay.project import Project

        project = Project.open(self.folder / str(self.subject.project))
        protected, annotator = self.subject.protected, self.subject.annotator
        with project.gateway(capability="diagnose") as gateway:
            case = project_case(project, gateway)
            case = replace(case, protected=protected, annotator=annotator)
            return self._meant(case, gateway, recipe_embedding(project, gateway))

    def _embedded(self, case: Case) -> Case:
        """Return the case of files, with embeddings where groups of like texts are told by them."""
        from assay.diagnose.explain.asking import without_project

        if self.subject.embed is None:
            return case
        with without_project() as gateway:
            return self._meant(case, gateway)

    def _meant(self, case: Case, gateway: Any, own: Embed | None = None) -> Case:
        model = self.subject.embed
        embed = own if model is None else partial(gateway.embed, model, columns=(case.task.text,))
        if embed is None or not any(isinstance(each.rule, NearRule) for each in self.findings):
            return case
        return replace(case, meaning=np.asarray(embed(case.texts), dtype=np.float64))

    def _path(self, name: str | None) -> str | None:
        return None if name is None else str(self.folder / name)


def _imported(model: str, folder: str | None) -> Any:
    """Return a model whose module stands in a folder, by default the one at hand."""
    from assay.diagnose.models import imported_model

    sys.path.insert(0, str(Path(folder or "").absolute()))
    return imported_model(model)
