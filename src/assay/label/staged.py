"""The stages of a cascade as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from assay.label.spec import Checked, Cost, Stage


def stages_as_json(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Return stages as the ledger keeps them."""
    return [
        {
            "model": each.model,
            "used": each.used,
            "why": each.why,
            "share": each.share,
            "expected": None if each.expected is None else asdict(each.expected),
            "measured": None if each.measured is None else asdict(each.measured),
            "checked": None if each.checked is None else _checked_as_json(each.checked),
            "judged": each.judged,
        }
        for each in stages
    ]


def stages_from_json(plain: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """Return the stages that :func:`stages_as_json` wrote."""
    return tuple(
        Stage(
            **dict(each)
            | {name: None if each[name] is None else Cost(**each[name])
               for name in ("expected", "measured")}
            | {"checked": None if each["checked"] is None else _checked_from_json(each["checked"])}
        )
        for each in plain
    )  # fmt: skip


def _checked_as_json(checked: Checked) -> dict[str, Any]:
    probability = [float(each) if np.isfinite(each) else None for each in checked.probability]
    return {
        "row_ids": checked.row_ids,
        "truth": checked.truth,
        "labels": checked.labels,
        "probability": probability,
        "correct": checked.correct.tolist(),
        "weights": None if checked.weights is None else checked.weights.tolist(),
    }


def _checked_from_json(plain: Mapping[str, Any]) -> Checked:
    probability = [np.nan if each is None else each for each in plain["probability"]]
    weights = plain["weights"]
    return Checked(
        row_ids=plain["row_ids"],
        truth=plain["truth"],
        labels=plain["labels"],
        probability=np.array(probability, dtype=np.float64),
        correct=np.array(plain["correct"], dtype=np.bool_),
        weights=None if weights is None else np.array(weights, dtype=np.float64),
    )
