"""The kind of task that extracts an object of a JSON schema from each row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from assay.errors import InputError
from assay.label.extract.fit import FittedExtraction, fit_extraction
from assay.label.extract.schema import model_of, spans_of
from assay.label.extract.wordings import Wordings, words_of
from assay.label.spec import Gold, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Gateway


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
        return fit_extraction(Wordings(task, settings), gold, gateway)

    def check(self, label: Any, task: LabelTask) -> dict[str, Any]:
        """Return a gold object as it is stored: checked against the schema, spans as objects."""
        schema = task.fields or {}
        model = model_of(schema)  # first, as it refuses what is no schema
        spans = spans_of(schema)
        try:
            given = json.loads(label) if isinstance(label, str) else dict(label)
            places = {name: given[name] for name in spans if name in given}
            plain = {**given, **{name: words_of(each) for name, each in places.items()}}
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


def _placed(value: Any) -> Any:
    """Return a span as an object; its place is None where gold does not tell it."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_placed(each) for each in value]
    if isinstance(value, dict):
        return {"text": value["text"], "start": value.get("start"), "end": value.get("end")}
    return {"text": value, "start": None, "end": None}
