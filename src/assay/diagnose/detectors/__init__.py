"""One kind of fault each. Others are found by the entry points ``assay.detectors``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from assay.diagnose.spec import Detector
from assay.errors import InputError

GROUP = "assay.detectors"
BUILT_IN = {
    "slices": "assay.diagnose.detectors.slices:SliceDetector",
    "like texts": "assay.diagnose.detectors.mixtures:MixtureDetector",
    "classes": "assay.diagnose.detectors.classes:ClassDetector",
    "label errors": "assay.diagnose.detectors.label_errors:LabelErrorDetector",
    "slices of classes": "assay.diagnose.detectors.class_slices:ClassSliceDetector",
    "annotators": "assay.diagnose.detectors.annotators:AnnotatorDetector",
    "ambiguity": "assay.diagnose.detectors.ambiguity:AmbiguityDetector",
    "contradictions": "assay.diagnose.detectors.contradictions:ContradictionDetector",
    "calibration": "assay.diagnose.detectors.calibration:CalibrationDetector",
    "calibration by slice": "assay.diagnose.detectors.calibration_slices:SliceCalibrationDetector",
    "threshold": "assay.diagnose.detectors.thresholds:ThresholdDetector",
    "leakage": "assay.diagnose.detectors.leakage:LeakageDetector",
    "ids": "assay.diagnose.detectors.identifiers:IdentifierDetector",
    "overlap": "assay.diagnose.detectors.overlap:OverlapDetector",
    "groups": "assay.diagnose.detectors.groups:GroupDetector",
    "time": "assay.diagnose.detectors.times:TimeDetector",
    "drift": "assay.diagnose.detectors.drift:DriftDetector",
    "columns": "assay.diagnose.detectors.columns:ColumnDetector",
    "robustness": "assay.diagnose.detectors.robustness:RobustnessDetector",
    "negation": "assay.diagnose.detectors.negation:NegationDetector",
    "perturbations": "assay.diagnose.detectors.perturbations:PerturbationDetector",
    "shortcuts": "assay.diagnose.detectors.shortcuts:ShortcutDetector",
    "outliers": "assay.diagnose.detectors.outliers:OutlierDetector",
    "fairness": "assay.diagnose.detectors.fairness:FairnessDetector",
    "fit": "assay.diagnose.detectors.fit:FitDetector",
}
"""They need no registration, so that they are there however Assay was put on the path."""


def registered_detectors() -> tuple[Detector, ...]:
    """Return one instance of every detector: the built-in ones, then others by name.

    Raises
    ------
    InputError
        When a registered detector cannot be imported, or has no ``detect``.
    """
    found: dict[str, Detector] = {}
    for name, home in BUILT_IN.items():
        module, _, kind = home.partition(":")
        found[name] = getattr(import_module(module), kind)()
    for each in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if each.name not in found:
            found[each.name] = _instance(each.name, each.load)
    return tuple(found.values())


def _instance(name: str, load: object) -> Detector:
    try:
        detector: Detector = load()()  # type: ignore[operator]
    except Exception as error:
        raise InputError(
            f"The detector {name!r} could not be loaded: {error}.",
            next_step="reinstall the package that registers it, or uninstall it",
        ) from error
    if not (hasattr(detector, "name") and callable(getattr(detector, "detect", None))):
        raise InputError(
            f"The detector {name!r} has no name and detect(part).", given=type(detector).__name__
        )
    return detector
