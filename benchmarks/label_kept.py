"""The figures of ``label.py`` on disk, seed by seed, so that those of several sessions add up.

A set and student hold ``seeds`` (by gold size, then seed, what was measured), ``peers`` (by peer,
gold size and seed, what was measured of those that need none of our answers), ``redraws`` (counts
by way of drawing), maybe ``rate`` (rows a second), and maybe summaries of an older file, which kept
no seeds: by gold size, and the counts beside them. An old summary stands until as many seeds are
there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

WHO = ("ours", "logistic", "plain", "dawid_skene", "crowdkit")
METRICS = ("accuracy", "macro_f1")
COVERAGES = ("at_0.90", "at_0.95")
Figures = dict[str, Any]


class Kept:
    """A file of figures, written after each one; without a path they are in memory alone.

    Parameters
    ----------
    rows
        Most rows of a set; figures of other numbers of rows do not add up with these.
    """

    def __init__(self, path: Path | None, rows: int) -> None:
        self._path = path
        self.report: Figures = {"rows": rows, "sets": {}}
        if path is not None and path.exists():
            self.report = json.loads(path.read_text())
        if self.report["rows"] != rows:
            raise SystemExit(
                f"--out {path} holds figures of {self.report['rows']} rows a set, not of --rows "
                f"{rows}: name another file, or the same number of rows"
            )

    def lacking(self, name: str, size: int, seed: int, wanted: Sequence[str] = ()) -> bool:
        """Return whether a seed is not measured, or without one of the wanted ways to label."""
        found = self._set(name)["seeds"].get(str(size), {}).get(str(seed))
        return found is None or any(each not in found for each in wanted)

    def add(self, name: str, seed: int, found: Figures) -> None:
        """Keep what was measured with one seed and gold size, in place of what was there."""
        sizes = self._set(name)["seeds"]
        sizes.setdefault(str(found["gold"]), {})[str(seed)] = found
        self._write()

    def peer(self, name: str, who: str, size: int) -> Figures:
        """Return a peer's scores with a gold size, by seed; empty before the first."""
        found: Figures = self._set(name)["peers"].get(who, {}).get(str(size), {})
        return found

    def add_peer(self, name: str, who: str, size: int, seed: int, found: Figures) -> None:
        """Keep a peer's scores with one gold size and seed, in place of what was there."""
        sizes = self._set(name)["peers"].setdefault(who, {})
        sizes.setdefault(str(size), {})[str(seed)] = found
        self._write()

    def redrawn(self, name: str, way: str) -> Figures:
        """Return the counts of the redraws so far, by precision; empty before the first."""
        return redrawn(self._set(name), way)

    def add_redraws(self, name: str, way: str, counts: Figures) -> None:
        """Keep the counts of all redraws of one way."""
        found = self._set(name)
        found["redraws"][way] = counts
        found.pop(way, None)  # the older file's counts are among them
        self._write()

    def rate(self, name: str) -> Figures:
        """Return the rows a second, by who labels; empty before they are measured."""
        found: Figures = self._set(name).get("rate", {})
        return found

    def add_rate(self, name: str, found: Figures) -> None:
        """Keep the rows a second, in place of what was there."""
        self._set(name)["rate"] = found
        self._write()

    def summaries(self) -> Figures:
        """Return the report with the summaries in place of the seeds."""
        return {"rows": self.report["rows"], "sets": summaries(self.report)}

    def _set(self, name: str) -> Figures:
        found: Figures = self.report["sets"].setdefault(name, {})
        for each in ("seeds", "peers", "redraws"):
            found.setdefault(each, {})
        return found

    def _write(self) -> None:
        if self._path is None:
            return
        aside = self._path.with_name(self._path.name + ".partial")
        aside.write_text(json.dumps(self.report, indent=1, sort_keys=True) + "\n")
        aside.replace(self._path)


def summaries(report: Mapping[str, Any]) -> dict[str, dict[str, Figures]]:
    """Return by set and gold size the means over seeds, with half-widths."""
    return {name: summary_of(found) for name, found in sorted(report["sets"].items())}


def summary_of(found: Mapping[str, Any]) -> dict[str, Figures]:
    """Return the summary of each gold size of a set, smallest first."""
    older = {size: each for size, each in found.items() if size.isdigit()}
    fresh = {size: _summary(list(each.values())) for size, each in found.get("seeds", {}).items()}
    told = {}
    for size in sorted({*older, *fresh}, key=int):
        new, old = fresh.get(size, {}), older.get(size, {})
        told[size] = dict(new if _seeds(new) >= _seeds(old) else old)
    for who, by_size in found.get("peers", {}).items():
        for size, by_seed in by_size.items():
            told.setdefault(size, {}).update(_scores(who, list(by_seed.values())))
    return told


def redrawn(found: Mapping[str, Any], way: str) -> Figures:
    """Return the counts of one way of drawing, an older file's too."""
    return dict(found.get("redraws", {}).get(way) or found.get(way, {}))


def spread(values: list[float]) -> dict[str, float | None]:
    """Return the mean over seeds and the half-width of its 95 % t interval, None of one seed."""
    from scipy.stats import t

    n = len(values)
    half = None if n < 2 else float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5)
    return {"mean": float(np.mean(values)), "half_width": half, "n": n}


def _summary(some: list[Figures]) -> Figures:
    told: Figures = {}
    for who in WHO:
        told |= _scores(who, [each[who] for each in some if who in each])
    for name in COVERAGES:
        values = [each[name]["coverage"] for each in some if name in each]
        if values:
            told[f"coverage {name}"] = spread(values)
    return told


def _scores(who: str, some: list[Figures]) -> Figures:
    if not some:
        return {}
    return {f"{who} {metric}": spread([each[metric] for each in some]) for metric in METRICS}


def _seeds(summary: Mapping[str, Any]) -> int:
    return int(summary["ours accuracy"]["n"]) if summary else 0
