"""The kind of task that extracts an object of a JSON schema from each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from assay.errors import InputError
from assay.label.asking import Asker
from assay.label.extract.agreeing import Agreed, agreed, same
from assay.label.extract.schema import model_of, spans_of
from assay.label.spec import Answers, Checked, Gold, LabelSettings, Step
from assay.label.task import LabelTask
from assay.label.voting import Calibration, Floats, Logistic, fit_calibration, fit_logistic, folds
from assay.label.voting import share as share_of
from assay.llm import Gateway, Prompt
from assay.tables.rows import ROW_ID

WORDINGS = (
    "Extract the fields from the text.",
    "Read the text and fill in the form. Say only what the text says.",
    "Which values does the text give for these fields? Take them from the text alone.",
)
"""Each is asked about every row, and has a vote on each field."""
AGREEMENT = "agreement"
"""The vote that holds each field's share of answers that agreed."""
ROOM = 1600
"""Tokens of a text that the embedded model surely reads whole beside the answer."""
CENTRE = Logistic(np.array([2.0, 1.0]), 1.0)
"""Without gold: an object on which all answers agree is probably right."""


@dataclass(frozen=True, eq=False)
class FittedExtraction:
    """Wordings that vote, and what their agreement is worth; see ``kinds.Fitted``."""

    task: LabelTask
    settings: LabelSettings
    worth: Logistic
    calibration: Calibration
    checked: Checked | None
    steps: tuple[Step, ...]

    def answer(self, texts: Sequence[str], gateway: Gateway) -> Answers:
        """Answer rows; ``votes["agreement"]`` has a column for each field."""
        found, why = extracted(texts, self.task, gateway, self.settings)
        probability = self.calibration(share_of(self.worth.scores(signs(found))))
        missing = [row for row, each in enumerate(found) if each.label is None]
        probability[missing] = np.nan
        flags = Asker(self.task, gateway, self.settings, room=ROOM).cut_flags(texts)
        names = list((self.task.fields or {})["properties"])
        votes = {AGREEMENT: np.array([each.agreement for each in found]).reshape(-1, len(names))}
        return Answers([each.label for each in found], probability, why, votes, flags)


class Extraction:
    """An object of a JSON schema for each row; right where every field is."""

    def fit(
        self,
        texts: Sequence[str],
        gold: Gold | None,
        task: LabelTask,
        gateway: Gateway,
        settings: LabelSettings,
    ) -> FittedExtraction:
        """Learn from gold how often the wordings are right when they agree."""
        model_of(task.fields or {})  # refuses what cannot be extracted before anything is asked
        if gold is None:
            steps = (Step("agreement", True, f"{len(WORDINGS)} wordings vote on each field"),)
            return FittedExtraction(task, settings, CENTRE, Calibration(), None, steps)
        found, _ = extracted(gold.texts, task, gateway, settings)
        names = list((task.fields or {})["properties"])
        right = np.array([_right(each, true, names) for each, true in
                          zip(found, gold.labels, strict=True)])  # fmt: skip
        said, usable = signs(found), np.array([each.label is not None for each in found])
        correct = right.all(axis=1) & usable
        worth, raw = _worth(said, correct, usable, gold, settings)
        calibration = fit_calibration(raw[usable], correct[usable])
        probability = np.where(usable, calibration(raw), 0.0)
        checked = Checked(gold.rows[ROW_ID].to_list(), gold.labels,
                          [each.label for each in found], probability, correct, gold.weights,
                          {"fields": right.astype(np.float64)})  # fmt: skip
        steps = (Step("agreement", True, f"{len(WORDINGS)} wordings vote on each field",
                      float(np.average(correct, weights=gold.weights))),)  # fmt: skip
        return FittedExtraction(task, settings, worth, calibration, checked, steps)

    def check(self, label: Any, task: LabelTask) -> dict[str, Any]:
        """Return a gold object as it is stored: checked against the schema, spans as objects."""
        import json

        schema = task.fields or {}
        spans, model = spans_of(schema), model_of(schema)
        try:
            given = json.loads(label) if isinstance(label, str) else dict(label)
            places = {name: given[name] for name in spans if name in given}
            plain = {**given, **{name: _words(each) for name, each in places.items()}}
            found = model.model_validate(plain).model_dump(mode="json")
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise InputError(
                f"A gold label breaks the schema: {'.'.join(map(str, first['loc']))}: "
                f"{first['msg']}."
            ) from error
        except (ValueError, TypeError) as error:
            raise InputError("A gold label is no object.", given=type(label).__name__) from error
        return {**found, **{name: _placed(each) for name, each in places.items()}}


def extracted(
    texts: Sequence[str], task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> tuple[list[Agreed], dict[int, str]]:
    """Ask every wording about every text; return what they come to, and why some do not."""
    schema = task.fields or {}
    names, spans = list(schema["properties"]), spans_of(schema)
    asked = [
        gateway.generate(
            settings.models[0],
            [Prompt(_told(task, wording, spans), text, columns=task.inputs) for text in texts],
            model_of(schema),
        )
        for wording in WORDINGS
    ]
    found, why = [], {}
    for row, text in enumerate(texts):
        said = [each[row] for each in asked]
        answers = [each.model_dump(mode="json") for each in said if each is not None]
        if answers:
            one = agreed(answers, text, names, set(spans))
        else:
            reason = next((each.why[row] for each in asked if row in each.why), "no answer")
            one = Agreed(None, (0.0,) * len(names), why=reason)
        found.append(one)
        if one.label is None:
            why[row] = one.why
    return found, why


def signs(found: Sequence[Agreed]) -> Floats:
    """Return what tells of a right object, (n, 2): how far answers agree, and spans' exactness."""
    said = [
        [float(np.log(np.maximum(each.agreement, 0.1)).sum()), each.exact - 1] for each in found
    ]
    return np.array(said).reshape(len(found), 2)


def _worth(
    said: Floats, correct: Any, usable: Any, gold: Gold, settings: LabelSettings
) -> tuple[Logistic, Floats]:
    """Return what agreement is worth, and each gold row's probability from the other folds."""
    fold = folds(gold.texts, min(settings.folds, len(set(gold.texts))), settings.seed)
    weights = None if gold.weights is None else gold.weights / gold.weights.mean()

    def learned(rows: Any) -> Logistic:
        return fit_logistic(said[rows], correct[rows], CENTRE,
                            weights=None if weights is None else weights[rows])  # fmt: skip

    raw = np.zeros(len(said))
    for each in np.unique(fold):
        raw[fold == each] = share_of(learned(usable & (fold != each)).scores(said[fold == each]))
    return learned(usable), raw


def _right(each: Agreed, true: dict[str, Any], names: Sequence[str]) -> list[bool]:
    if each.label is None:
        return [False] * len(names)
    return [same(each.label[name], true.get(name)) for name in names]


def _told(task: LabelTask, wording: str, spans: Sequence[str]) -> str:
    described = [
        f"- {name}: {each['description']}" if each.get("description") else f"- {name}"
        for name, each in (task.fields or {})["properties"].items()
    ]
    copied = f"Copy {', '.join(spans)} word for word from the text." if spans else ""
    return "\n".join(filter(None, [wording, task.guidelines, "Fields:", *described, copied]))


def _words(value: Any) -> Any:
    if isinstance(value, list):
        return [_words(each) for each in value]
    return value["text"] if isinstance(value, dict) and "text" in value else value


def _placed(value: Any) -> Any:
    """Return a span as an object; its place is None where gold does not tell it."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_placed(each) for each in value]
    if isinstance(value, dict):
        return {"text": value["text"], "start": value.get("start"), "end": value.get("end")}
    return {"text": value, "start": None, "end": None}
