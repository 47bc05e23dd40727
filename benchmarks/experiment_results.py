"""What the benchmark of the search has kept, cell by cell, and how it is told."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import writing
from assay.evidence import metric
from experiment_contestants import Outcome
from experiment_sets import BY_NAME

Place = tuple[str, int, float]
"""A set's name, a seed and the seconds of a search."""


class Results:
    """Outcomes by place and contestant, kept in a file where one is given.

    Every cell is written when it is over, so that a run that was stopped goes on, and runs of
    several days add up.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._found: dict[Place, dict[str, Outcome]] = defaultdict(dict)
        self._loads: list[float] = []
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            self._loads = kept["loads"]
            for key, outcomes in kept["results"].items():
                self._found[_place(key)] = {who: Outcome(**each) for who, each in outcomes.items()}

    def holds(self, place: Place, who: str) -> bool:
        """Whether a contestant's outcome at a place is known."""
        return who in self._found.get(place, {})

    def add(self, place: Place, outcomes: Mapping[str, Outcome]) -> None:
        """Keep what was found at a place, and the machine's load of the last quarter of an hour."""
        self._found[place].update(outcomes)
        self._loads.append(round(os.getloadavg()[2], 1))
        if self._path is not None:
            with writing(self._path) as aside:
                aside.write_text(json.dumps(self.as_dict(), indent=1) + "\n")

    def as_dict(self) -> dict[str, Any]:
        """Return everything, with a summary for each limit of time."""
        limits = sorted({seconds for _, _, seconds in self._found})
        return {
            "loads": self._loads,
            "contestants": {f"{each:g}": summary(self._at(each)) for each in limits},
            "results": {
                f"{name}/{seed}/{seconds:g}": {who: asdict(each) for who, each in found.items()}
                for (name, seed, seconds), found in self._found.items()
            },
        }

    def _at(self, seconds: float) -> Outcomes:
        return {place: found for place, found in self._found.items() if place[2] == seconds}


Outcomes = Mapping[Place, Mapping[str, Outcome]]


def _place(key: str) -> Place:
    name, seed, seconds = key.rsplit("/", 2)
    return name, int(seed), float(seconds)


def complete(outcomes: Outcomes) -> Outcomes:
    """Return the places where every contestant has been that has been anywhere.

    Ranks among fewer would not compare.
    """
    everyone = {who for found in outcomes.values() for who in found}
    return {place: found for place, found in outcomes.items() if found.keys() == everyone}


def summary(outcomes: Outcomes) -> dict[str, dict[str, float]]:
    """Return each contestant's mean rank (1 is best), normalised score, and optimism.

    The score is 1 for the best contestant of a split and 0 for the worst; optimism is in the
    same unit, so that sets can be averaged.
    """
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for (name, _, _), found in complete(outcomes).items():
        sign = metric(BY_NAME[name].metric).sign
        scores = {who: sign * each.score for who, each in found.items()}
        best, worst = max(scores.values()), min(scores.values())
        spread = (best - worst) or 1.0
        for who, score in scores.items():
            rank = 1 + sum(other > score for other in scores.values())
            ties = sum(other == score for other in scores.values()) - 1
            figures[who]["mean_rank"].append(rank + ties / 2)
            figures[who]["normalised"].append((score - worst) / spread)
            figures[who]["seconds"].append(found[who].seconds)
            claimed = found[who].claimed
            if claimed is not None:
                gap = sign * claimed - score
                figures[who]["optimism_share"].append(gap / max(abs(score), 1e-9))
            first = found[who].first_seconds
            if first is not None:
                figures[who]["first_seconds"].append(first)
    return {
        who: {what: round(float(np.mean(values)), 4) for what, values in each.items()}
        for who, each in figures.items()
    }


def markdown(results: Results, seconds: float) -> str:
    """Return kept results of a limit as two tables: contestants, and each split with its optimism.

    A split that some contestant has not been at is in the second table alone.
    """
    told = results.as_dict()
    figures = told["contestants"].get(f"{seconds:g}", {})
    columns = ("mean_rank", "normalised", "optimism_share", "first_seconds")
    lines = ["| contestant | " + " | ".join(each.replace("_", " ") for each in columns) + " |"]
    lines.append("|---|" + "---|" * len(columns))
    for who, each in figures.items():
        cells = [f"{each[column]:.3f}" if column in each else "" for column in columns]
        lines.append(f"| {who} | " + " | ".join(cells) + " |")
    kept = {_place(key): found for key, found in told["results"].items()}
    kept = {place: found for place, found in kept.items() if place[2] == seconds}
    names = list(dict.fromkeys(who for found in kept.values() for who in found))
    lines += ["", "| split | metric | " + " | ".join(names) + " |"]
    lines.append("|---|---|" + "---|" * len(names))
    for (name, seed, _), found in kept.items():
        kind = BY_NAME[name].metric
        cells = [_cell(found[who], metric(kind).sign) if who in found else "" for who in names]
        lines.append(f"| {name}/{seed} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcome: dict[str, Any], sign: int) -> str:
    """Return the score and, in brackets, by how much the claim was better than it."""
    score, claimed = outcome["score"], outcome["claimed"]
    gap = "" if claimed is None else f" ({sign * (claimed - score):+.3g})"
    return f"{score:.4g}{gap}"
