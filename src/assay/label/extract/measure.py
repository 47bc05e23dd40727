"""How often each extracted field is right, measured on gold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.errors import InputError
from assay.evidence import Evidence, estimate
from assay.label.extract.fit import FIELDS
from assay.label.result import LabelResult


def measured(result: LabelResult, *, level: float = 0.95) -> dict[str, Evidence]:
    """Return each field's share of gold rows in which it is right.

    Rows that were picked for a review do not count; one that a reviewer called wrong, without a
    better answer, counts against all its fields.

    Raises
    ------
    InputError
        When the task is of another kind, or there is no gold.
    """
    checked = None if result.checked is None else result.checked.measured
    schema = result.task.fields
    if result.task.kind != "extract" or checked is None or schema is None:
        raise InputError("These figures need an extraction with gold.", given=result.task.kind)
    facts = {}
    for name, right in zip(schema["properties"], checked.votes[FIELDS].T, strict=True):
        said = np.where(right > 0.5, "right", "wrong").tolist()
        fact = estimate(["right"] * len(said), said, classes=("right", "wrong"),
                        weights=checked.weights, level=level)  # fmt: skip
        facts[name] = replace(fact, name=f"accuracy of {name}")
    return facts
