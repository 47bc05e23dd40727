"""Assay: a co-pilot for building machine-learning models that keeps only what a test has passed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay import evidence
    from assay.ask import Answer, ask
    from assay.diagnose import diagnose
    from assay.diagnose.spec import Diagnosis
    from assay.evidence import Evidence, Verdict, compare
    from assay.evidence.gate import gate
    from assay.experiment import experiment
    from assay.experiment.result import ExperimentResult
    from assay.improve import ImproveResult, improve
    from assay.label import LabelResult, LabelTask, label, vote
    from assay.llm import Budget
    from assay.project import Project
    from assay.recipe import Proposal, Recipe
    from assay.synth import SynthesisResult, synthesize
    from assay.task import ClassDescription, Task

__version__ = "0.1.0"

_HOMES = {
    "Answer": "assay.ask",
    "Budget": "assay.llm",
    "ClassDescription": "assay.task",
    "Diagnosis": "assay.diagnose.spec",
    "Evidence": "assay.evidence",
    "ExperimentResult": "assay.experiment.result",
    "ImproveResult": "assay.improve",
    "LabelResult": "assay.label",
    "LabelTask": "assay.label",
    "Project": "assay.project",
    "Proposal": "assay.recipe",
    "Recipe": "assay.recipe",
    "SynthesisResult": "assay.synth",
    "Task": "assay.task",
    "Verdict": "assay.evidence",
    "compare": "assay.evidence",
    "gate": "assay.evidence.gate",
    "synthesize": "assay.synth",
    "vote": "assay.label",
}
_PACKAGES = {"ask", "diagnose", "evidence", "experiment", "improve", "label"}

__all__ = [
    "Answer",
    "Budget",
    "ClassDescription",
    "Diagnosis",
    "Evidence",
    "ExperimentResult",
    "ImproveResult",
    "LabelResult",
    "LabelTask",
    "Project",
    "Proposal",
    "Recipe",
    "SynthesisResult",
    "Task",
    "Verdict",
    "__version__",
    "ask",
    "compare",
    "diagnose",
    "evidence",
    "experiment",
    "gate",
    "improve",
    "label",
    "synthesize",
    "vote",
]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
