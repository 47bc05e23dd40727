"""Edits of the recipe, for each kind of finding that one can mend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import methodcaller
from typing import Literal

from assay.diagnose.spec import Finding, Remedy
from assay.diagnose.strategies.recipes import (
    with_calibration,
    with_copies,
    with_mended,
    with_own_weights,
    with_strength,
    without_column,
    without_word,
)
from assay.diagnose.strategies.spec import RemedyKind
from assay.experiment.propose import threshold_aim
from assay.recipe import Proposal, Recipe, Slice, conditions_of
from assay.recipe.trial import LABEL_METRICS, ORDER_METRICS
from assay.synth.candidates import with_dose
from assay.synth.constraints import Constraint
from assay.synth.methods import AUTO, chosen_methods, made_by
from assay.tables.predicate import Condition, Predicate
from assay.task import Task

ORIGIN = "rule:findings"
SHARES_REWARDED = ("accuracy", "log_loss")
"""Metrics by which a model that gives each class by its share among like rows does best."""
UNDERFITTING = "AS902"
STRENGTH = 10.0
FACTOR = 3.0
"""How much more a failing slice's training rows weigh."""

Edit = tuple[RemedyKind, Proposal]
Stated = Sequence[Constraint] | None
"""What made rows must hold; None where it is mined from the rows at hand."""


def edits_of(finding: Finding, task: Task, constraints: Stated = None) -> Iterator[Edit]:
    """Yield the edits of the recipe that may mend a finding; none where only people can."""
    of_class_slice = partial(_of_class_slice, constraints=constraints)
    of_slice = partial(_of_slice, constraints=constraints)
    makers: dict[str, Callable[[Finding, Task], Iterator[Edit]]] = {
        "AS103": partial(_of_class, constraints=constraints),
        "AS104": of_class_slice,
        "AS105": of_class_slice,
        "AS201": _of_labels,
        "AS203": _of_copies,
        "AS204": _for_people,
        "AS205": _for_people,
        "AS301": _of_probabilities,
        "AS302": _of_probabilities,
        "AS303": _of_threshold,
        "AS304": _of_probabilities,
        "AS401": _of_column,
        "AS404": _of_column,
        "AS602": _of_shortcut,
        "AS603": _of_strength,
        "AS901": _of_strength,
        "AS902": _of_strength,
    }
    yield from makers.get(finding.code, of_slice)(finding, task)


def _of_slice(finding: Finding, task: Task, constraints: Stated) -> Iterator[Edit]:
    predicate = finding.predicate
    if predicate is None or not predicate.conditions:
        return
    named = {each.column for each in predicate.conditions}
    if not named <= set(task.inputs):
        return
    why = f"{finding.code}: the model does worse on {finding.size:,} rows of this kind"
    told = methodcaller("with_feature", Slice(where=conditions_of(predicate)))
    yield "feature", _proposal(f"slice: {predicate.words}", why, told)
    name = f"weights of their own where {predicate.words}"
    yield "feature", _proposal(name, why, partial(with_own_weights, predicate=predicate))
    yield "reweight", _weighed(predicate, why)
    yield "synthesise", _of_rows_in(predicate, task, why, constraints)


def _of_rows_in(
    predicate: Predicate, task: Task, why: str, constraints: Stated, class_name: str | None = None
) -> Proposal:
    method = chosen_methods(AUTO, task, class_name)[0]
    made = made_by(method, 1.0, class_name=class_name, where=predicate, constraints=constraints)
    rows = "made rows" if class_name is None else f"made rows of {class_name}"
    return _proposal(f"{rows} where {predicate.words}: {method} x1", why, partial(with_dose, made))


def _of_class(finding: Finding, task: Task, constraints: Stated) -> Iterator[Edit]:
    """Yield more weight, or made rows; not where the metric rewards the class's true share.

    Under accuracy or the log loss a rarer class is rightly given less often than others.
    """
    if task.metric in SHARES_REWARDED:
        return
    for remedy in finding.remedies:
        why = f"{finding.code}: {finding.title}"
        if remedy.value is None:
            continue
        if remedy.kind == "reweight":
            one = Predicate((Condition(task.target, "=", remedy.value),))
            yield "reweight", _weighed(one, why)
        if remedy.kind == "synthesise" and task.text is None:
            for method in chosen_methods(AUTO, task, remedy.value)[:1]:
                made = made_by(method, 1.0, class_name=remedy.value, constraints=constraints)
                name = f"made rows of {remedy.value}: {method} x1"
                yield "synthesise", _proposal(name, why, partial(with_dose, made))


def _of_class_slice(finding: Finding, task: Task, constraints: Stated) -> Iterator[Edit]:
    """Yield the slice as a feature; its rows weigh more only where they are of a missed class."""
    missed = next((each.value for each in finding.remedies if each.kind == "reweight"), None)
    for kind, proposal in _of_slice(finding, task, constraints):
        if kind == "feature":
            yield kind, proposal
        elif kind == "reweight" and missed is not None and finding.predicate is not None:
            of_class = Condition(task.target, "=", missed)
            rows = Predicate((*finding.predicate.conditions, of_class))
            yield kind, _weighed(rows, proposal.rationale)
            why = proposal.rationale
            yield "synthesise", _of_rows_in(finding.predicate, task, why, constraints, missed)


def _of_labels(finding: Finding, task: Task) -> Iterator[Edit]:
    why = f"{finding.code}: {finding.title}"
    relabelled = partial(with_mended, action="relabel")
    yield "relabel", _proposal("doubtful labels replaced by the likelier class", why, relabelled)
    dropped = partial(with_mended, action="drop")
    yield "drop", _proposal("rows with doubtful labels left out", why, dropped)


def _for_people(finding: Finding, task: Task) -> Iterator[Edit]:
    """Yield nothing: whose labels are right, no edit of the recipe can tell."""
    yield from ()


def _of_probabilities(finding: Finding, task: Task) -> Iterator[Edit]:
    """Yield both ways to calibrate, where the metric reads probabilities and not their order."""
    if task.kind == "regression" or task.metric in (*LABEL_METRICS, *ORDER_METRICS):
        return
    methods: tuple[Literal["sigmoid", "isotonic"], ...] = ("sigmoid", "isotonic")
    for method in methods:
        why = f"{finding.code}: {finding.title}"
        edit = partial(with_calibration, method=method)
        yield "calibrate", _proposal(f"probabilities calibrated: {method}", why, edit)


def _of_threshold(finding: Finding, task: Task) -> Iterator[Edit]:
    if aim := threshold_aim(task):
        why = f"{finding.code}: {finding.title}"
        edit = methodcaller("with_threshold", aim)
        yield "threshold", _proposal("threshold chosen anew", why, edit)


def _of_column(finding: Finding, task: Task) -> Iterator[Edit]:
    for column in filter(None, (_dropped(each) for each in finding.remedies)):
        if column in task.features and len(task.inputs) > 1:
            why = f"{finding.code}: {finding.title}"
            edit = partial(without_column, column=column)
            yield "drop", _proposal(f"without column {column}", why, edit)


def _of_shortcut(finding: Finding, task: Task) -> Iterator[Edit]:
    """Yield the clue left out, a column or a word, and the model held back as a whole."""
    yield from _of_column(finding, task)
    column, value, kind = (*finding.about[:3], "", "", "")[:3]  # older diagnoses do not tell
    if kind == "word" and column == task.text:
        why = f"{finding.code}: {finding.title}"
        edit = partial(without_word, column=column, word=value)
        yield "drop", _proposal(f"texts read without {value!r}", why, edit)
    yield from _of_strength(finding, task)


def _of_strength(finding: Finding, task: Task) -> Iterator[Edit]:
    """Yield the model held back ten times as much; of one that learned too little, a tenth."""
    why = f"{finding.code}: {finding.title}"
    weaker = finding.code == UNDERFITTING
    times, more = (1 / STRENGTH, "weaker") if weaker else (STRENGTH, "stronger")
    name = f"regularisation made {STRENGTH:g} times {more}"
    yield "regularise", _proposal(name, why, partial(with_strength, times=times))


def _of_copies(finding: Finding, task: Task) -> Iterator[Edit]:
    why = f"{finding.code}: {finding.title}"
    agreed = partial(with_copies, copies="agreed")
    yield "relabel", _proposal("copies under their commonest label", why, agreed)
    one = partial(with_copies, copies="one")
    yield "deduplicate", _proposal("one row of each set of copies", why, one)


def _dropped(remedy: Remedy) -> str | None:
    return remedy.column if remedy.kind == "drop" else None


def _weighed(predicate: Predicate, why: str) -> Proposal:
    edit = methodcaller("with_weight", predicate, FACTOR)
    return _proposal(f"weighed {FACTOR:g} times: {predicate.words}", why, edit)


def _proposal(name: str, why: str, edit: Callable[[Recipe], Recipe]) -> Proposal:
    return Proposal(name, why, ORIGIN, edit)
