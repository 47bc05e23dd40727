"""What reviews change: gold, accuracy, threshold and coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from assay.label.extract.agreeing import same as same_value
from assay.label.extract.fit import FIELDS
from assay.label.result import LabelResult
from assay.label.review.record import Batch, Decision, latest
from assay.label.spec import CHANCES, Checked
from assay.label.tabled import as_texts
from assay.label.task import LabelTask
from assay.label.voting import Floats
from assay.tables.rows import ROW_ID


@dataclass(frozen=True)
class Reviewed:
    """What the reviewers agree on.

    Attributes
    ----------
    labels
        The label of each row: that of most reviewers.
    wrong
        Rows whose suggestion is wrong and that have no other label.
    disputed
        Rows about which as many say one thing as another.
    weights
        1 for rows that were drawn at random, and 0 for those that were picked or that somebody
        checked unasked: those say nothing of the rows beside them.
    """

    labels: dict[str, Any] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    disputed: frozenset[str] = frozenset()
    weights: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels) + len(self.wrong)


def agreed(decisions: Iterable[Decision], batches: Sequence[Batch] = ()) -> Reviewed:
    """Return what most reviewers say of each row."""
    said: dict[str, list[Decision]] = {}
    for each in latest(decisions).values():
        if each.action in ("label", "wrong"):
            said.setdefault(each.row_id, []).append(each)
    labels, wrong, disputed = {}, set(), set()
    for row, some in said.items():
        keys = [each.action + str(as_texts([each.label])[0]) for each in some]
        ranked = Counter(keys).most_common(2)
        if len(ranked) > 1 and ranked[0][1] == ranked[1][1]:
            disputed.add(row)
            continue
        chosen = some[keys.index(ranked[0][0])]
        if chosen.action == "wrong":
            wrong.add(row)
        else:
            labels[row] = chosen.label
    counted = _weights([*labels, *wrong], batches)
    return Reviewed(labels, frozenset(wrong), frozenset(disputed), counted)


def updated(result: LabelResult, reviewed: Reviewed) -> LabelResult:
    """Return the labelling with the reviewed rows as gold: nothing is asked again.

    The labels were given before the review, so each reviewed row measures them fairly. A row
    that gold held already is not measured again.
    """
    place = {each: row for row, each in enumerate(result.rows.table[ROW_ID].to_list())}
    known = {place[each]: label for each, label in reviewed.labels.items() if each in place}
    measured = [
        each for each in [*reviewed.labels, *reviewed.wrong]
        if each in place and place[each] not in result.given
        and np.isfinite(result.answers.probability[place[each]])
    ]  # fmt: skip
    if not measured:
        return replace(result, given={**result.given, **known})
    rows = [place[each] for each in measured]
    labels = [result.answers.labels[row] for row in rows]
    truth = [reviewed.labels.get(each) for each in measured]
    fresh = Checked(
        row_ids=measured,
        truth=truth,
        labels=labels,
        probability=result.answers.probability[rows],
        correct=np.array(
            [each not in reviewed.wrong and same(label, real, result.task)
             for each, label, real in zip(measured, labels, truth, strict=True)]
        ),
        weights=np.array([reviewed.weights[each] for each in measured]),
        votes=_parts(result, rows, truth),
    )  # fmt: skip
    checked = _joined(result.checked, fresh)
    return replace(result, checked=checked, given={**result.given, **known})


def _parts(result: LabelResult, rows: list[int], truth: list[Any]) -> dict[str, Any]:
    """Return what a kind measures beside whole answers: each class's chance, each right field."""
    if result.task.kind == "extract":
        names = (result.task.fields or {})["properties"]
        right = [
            [real is not None and same_value(result.answers.labels[row][name], real.get(name))
             for name in names]
            for row, real in zip(rows, truth, strict=True)
        ]  # fmt: skip
        return {FIELDS: np.array(right, dtype=np.float64)}
    chances = result.answers.votes.get(CHANCES)
    return {} if chances is None else {CHANCES: chances[rows]}


def same(one: Any, other: Any, task: LabelTask) -> bool:
    """Whether two labels say the same; the order of classes, or a field's case, does not count."""
    if task.kind == "multi":
        return sorted(one or ()) == sorted(other or ())
    if task.kind == "extract" and isinstance(one, dict) and isinstance(other, dict):
        names = (task.fields or {}).get("properties", {})
        return all(same_value(one.get(name), other.get(name)) for name in names)
    return as_texts([one]) == as_texts([other])


def changes(before: LabelResult, after: LabelResult) -> dict[str, Any]:
    """Return what the review changed, as plain JSON values."""
    return {
        name: {"before": _figures(before)[name], "after": value}
        for name, value in _figures(after).items()
    }


def _figures(result: LabelResult) -> dict[str, Any]:
    acceptance, accuracy = result.acceptance, result.accuracy
    return {
        "checked": len(result.given),
        "accuracy": None if accuracy is None else accuracy.as_dict(),
        "threshold": None if acceptance is None else acceptance.threshold,
        "coverage": result.coverage,
        "guarantee": result.guarantee,
    }


def _weights(rows: Iterable[str], batches: Sequence[Batch]) -> dict[str, float]:
    drawn = {each for batch in batches for each in batch.at_random}
    return {each: float(each in drawn) for each in rows}


def _counts(checked: Checked) -> Floats:
    """Return how much each row counts: 1 on average of those that measure, in each sample alike."""
    weights = np.ones(len(checked.row_ids)) if checked.weights is None else checked.weights
    drawn = weights[weights > 0]
    return np.asarray(weights / drawn.mean() if len(drawn) else weights)


def _joined(old: Checked | None, new: Checked) -> Checked:
    if old is None:
        return new
    return Checked(
        row_ids=[*old.row_ids, *new.row_ids],
        truth=[*old.truth, *new.truth],
        labels=[*old.labels, *new.labels],
        probability=np.concatenate([old.probability, new.probability]),
        correct=np.concatenate([old.correct, new.correct]),
        weights=np.concatenate([_counts(old), _counts(new)]),
        votes={
            name: np.concatenate([each, new.votes[name]])
            for name, each in old.votes.items()
            if name in new.votes
        },
    )
