"""Faults in real tables, and what the recommended fix gains on rows that nobody looked at.

Each case is a table cut in three: rows to learn from, rows to diagnose, and final rows. A fault is
planted, or the model has one by itself. Three ways to act are measured on the final rows:
``advised`` is the first edit that the diagnosis of the judged rows suggests, untried; ``proven`` is
what ``assay diagnose --try`` made of a project of the same rows, where it changed the recipe;
``recommended`` is what the diagnosis tells to act on: what was proven, and where nothing was, what
removes a leak, as no trial on rows that hold the leak can prove that.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.diagnose import diagnose, diagnose_case
from assay.diagnose.given import read_case
from assay.diagnose.propose import remedied
from assay.diagnose.spec import is_leak
from assay.errors import AssayError
from assay.evidence import Evidence, compare
from assay.evidence.proportions import share_interval
from assay.improve.fixes import try_fixes
from assay.project import Project
from assay.recipe import Recipe, baseline_recipe, fit_recipe
from assay.recipe.trial import reads_probabilities
from assay.tables import infer_task
from assay.task import Task
from experiment_sets import BY_NAME
from synth_runs import no_tools

Random = np.random.Generator
SETS = ("credit_data", "hmda", "email", "stackoverflow", "page-blocks0")
LEARNED, JUDGED = 800, 800
Plant = Callable[[pl.DataFrame, Task, Random], pl.DataFrame]
"""Puts a fault into rows of a task."""
CLUE = "clue"


@dataclass(frozen=True)
class Fault:
    """A fault of the rows or of the model.

    Attributes
    ----------
    broken
        What happens to rows to learn from and, unless ``later``, to judged ones.
    final
        What happens to the rows that come later: final ones, and judged ones where ``later``.
    recipe
        The model that is diagnosed.
    later
        Whether the judged rows are later than those learned from; only advice is measured then.
    """

    metric: str
    broken: Plant = lambda rows, task, random: rows
    final: Plant = lambda rows, task, random: rows
    recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe
    later: bool = False


@dataclass(frozen=True)
class Tried:
    """A fix, the code of the finding that it is for (empty for several), and its gain."""

    name: str
    gain: Evidence
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fix with its gain and the interval."""
        interval = self.gain.interval
        return {"name": self.name, "gain": self.gain.estimate,
                "low": interval.low, "high": interval.high}  # fmt: skip


@dataclass(eq=False)
class Tally:
    """What recommended fixes gained, each with its interval."""

    cases: int = 0
    fixes: list[Tried] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return counts, and shares with Wilson's intervals of the fixes that were recommended."""
        gains = [each.gain for each in self.fixes]
        told = len(gains)
        helped = sum(each.estimate > 0 for each in gains)
        clearly = sum(each.interval.low > 0 for each in gains)
        harmed = sum(each.interval.high < 0 for each in gains)
        mean = float(np.mean([each.estimate for each in gains])) if told else None
        return {
            "cases": self.cases, "recommended": told, "mean_gain": mean,
            "helped": _share(helped, told), "clearly_helped": _share(clearly, told),
            "worse": _share(sum(each.estimate < 0 for each in gains), told),
            "clearly_harmed": _share(harmed, told),
            "fixes": [each.as_dict() for each in self.fixes],
        }  # fmt: skip


def _share(count: int, of: int) -> dict[str, Any] | None:
    if not of:
        return None
    interval = share_interval(count, of)
    return {
        "count": count,
        "of": of,
        "share": count / of,
        "low": interval.low,
        "high": interval.high,
    }


def flipped(rows: pl.DataFrame, task: Task, random: Random, share: float) -> pl.DataFrame:
    """Return the rows with a share of the commoner class's labels changed to the other."""
    names = rows[task.target].value_counts(sort=True)[task.target].to_list()
    hit = (rows[task.target] == names[0]).to_numpy() & (random.random(rows.height) < share)
    labels = np.where(hit, names[1], rows[task.target].to_numpy())
    return rows.with_columns(pl.Series(task.target, labels))


def turned(rows: pl.DataFrame, task: Task, random: Random) -> pl.DataFrame:
    """Return the rows with a column of areas, in one of which the columns say the opposite.

    There as many rows are of the second class as were, those that a plain model thinks it of least.
    """
    area = random.choice(["north", "south", "east", "west"], rows.height)
    there = np.flatnonzero(area == "north")
    numbered = _numbered(rows, 0)
    model = fit_recipe(baseline_recipe(task), numbered, task, tools=no_tools(), seed=0)
    sure = model.predict_proba(numbered)[there, 1]
    labels = rows[task.target].to_numpy().astype(object)
    count = int((labels[there] == task.class_names[1]).sum())
    labels[there] = task.class_names[0]
    labels[there[np.argsort(sure)[:count]]] = task.class_names[1]
    return rows.with_columns(pl.Series(task.target, labels.tolist()), area=pl.Series(area))


def clued(rows: pl.DataFrame, task: Task, random: Random, right: float) -> pl.DataFrame:
    """Return the rows with a word that goes with the target in a share of the rows."""
    first = (rows[task.target] == task.class_names[0]).to_numpy()
    said = np.where(random.random(rows.height) < right, first, random.random(rows.height) < 0.5)
    return rows.with_columns(pl.Series(CLUE, np.where(said, "red", "blue")))


def _clue(right: float) -> Plant:
    return lambda rows, task, random: clued(rows, task, random, right)


def _flips(share: float) -> Plant:
    return lambda rows, task, random: flipped(rows, task, random, share)


def _naive(recipe: Recipe) -> Recipe:
    return recipe.with_estimator("sklearn.naive_bayes.GaussianNB")


FAULTS: dict[str, Fault] = {
    "nothing planted": Fault("accuracy"),
    "labels flipped, 30% of one class": Fault("macro_f1", broken=_flips(0.3)),
    "a slice turned round": Fault("accuracy", broken=turned, final=turned),
    "leak: a copy with 2% mistakes": Fault("accuracy", broken=_clue(0.98), final=_clue(0.0)),
    "a shortcut that later breaks": Fault(
        "accuracy", broken=_clue(0.7), final=_clue(0.0), later=True
    ),
    "too sure (naive Bayes)": Fault("log_loss", recipe=_naive),
    "a rare class, threshold at one half": Fault("macro_f1"),
}


@dataclass(frozen=True)
class Parts:
    """A table with a fault, cut in three, its task, and the model that is diagnosed."""

    learned: pl.DataFrame
    judged: pl.DataFrame
    final: pl.DataFrame
    task: Task
    recipe: Recipe


def parts(name: str, fault: Fault, seed: int) -> Parts:
    """Return one case of a fault in a real table."""
    which = BY_NAME[name]
    rows = which.rows(seed).drop_nulls(which.target)
    rows = rows.with_columns(pl.col(which.target).cast(pl.String))
    random = np.random.default_rng([seed, len(name)])
    cut = LEARNED + JUDGED
    dev, final = rows[:cut], rows[cut:].head(4000)
    late = fault.final if fault.later else fault.broken
    bare = infer_task(dev, which.target, metric=fault.metric).task
    learned = fault.broken(dev[:LEARNED], bare, random)
    judged = late(dev[LEARNED:], bare, random)
    final = fault.final(final, bare, random)
    task = infer_task(learned, which.target, metric=fault.metric).task
    recipe = fault.recipe(baseline_recipe(task))
    return Parts(_numbered(learned, 0), _numbered(judged, 1), _numbered(final, 2), task, recipe)


def _numbered(rows: pl.DataFrame, at: int) -> pl.DataFrame:
    return rows.with_columns(row_id=pl.Series([f"{at}-{n}" for n in range(rows.height)]))


def advised(given: Parts, seed: int) -> Tried | None:
    """Return the first edit that the diagnosis suggests, untried, and its gain on final rows."""
    model = fit_recipe(given.recipe, given.learned, given.task, tools=no_tools(), seed=seed)
    case = read_case(
        given.judged.drop("row_id"), truth=given.task.target,
        probabilities=model.predict_proba(given.judged),
        training=given.learned.drop("row_id"), seed=seed,
    )  # fmt: skip
    edits = remedied(diagnose_case(case), given.task)
    if not edits:
        return None
    edited = edits[0].proposal.apply(given.recipe)
    gain = on_final(given, edited, given.learned, seed)
    return Tried(edits[0].proposal.name, gain, edits[0].finding.code)


def proven(given: Parts, seed: int) -> Tried | None:
    """Return what trying the fixes in a project proved, and its gain on final rows."""
    rows = pl.concat([given.learned, given.judged], how="vertical_relaxed")
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(
            Path(folder) / "p", rows.drop("row_id"), target=given.task.target,
            metric=given.task.metric, seed=seed, recipe=given.recipe,
        )  # fmt: skip
        fixes = try_fixes(project, diagnose(project)).fixes
        after = project.recipe
        project.ledger().close()
    if after.hash == given.recipe.hash:
        return None
    names = ", ".join(each.name for each in fixes if each.verdict == "proven")
    return Tried(names or "kept, none proven by itself", on_final(given, after, rows, seed))


def _recommended(results: Mapping[str, Tried | None]) -> Tried | None:
    """Return what was proven; where nothing was, what removes a leak."""
    untried = results["advised"]
    leak = untried is not None and is_leak(untried.code)
    return results.get("proven") or (untried if leak else None)


def _tried(way: Callable[[Parts, int], Tried | None], given: Parts, seed: int) -> Tried | None:
    with suppress(AssayError):
        return way(given, seed)
    return None


def on_final(given: Parts, edited: Recipe, rows: pl.DataFrame, seed: int) -> Evidence:
    """Return the gain of the edited recipe on the final rows, both taught on ``rows``."""
    answers = [_answers(given, each, rows, seed) for each in (given.recipe, edited)]
    return compare(
        given.final[given.task.target], *answers, metric=given.task.metric,
        classes=given.task.class_names, between_fits=False,
    )  # fmt: skip


def _answers(given: Parts, recipe: Recipe, rows: pl.DataFrame, seed: int) -> np.ndarray:
    model = fit_recipe(recipe, rows, given.task, tools=no_tools(), seed=seed)
    return model.predictions(given.final, probabilities=reads_probabilities(given.task))


def study(seeds: int, *, quick: bool, tell: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Yield after each table, for each fault and over all, what advised and proven fixes did."""
    found: dict[str, dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    tables: list[str] = []
    for seed in range(seeds):
        for name in SETS[: 1 if quick else None]:
            for words, fault in FAULTS.items():
                given = parts(name, fault, seed)
                results = {"advised": _tried(advised, given, seed)}
                if not fault.later:
                    results["proven"] = _tried(proven, given, seed)
                results["recommended"] = _recommended(results)
                for way, result in results.items():
                    for tally in (found[words][way], found["all"][way]):
                        tally.cases += 1
                        if result is not None:
                            tally.fixes.append(result)
                    gain = "-" if result is None else f"{result.gain.estimate:+.4f} {result.name}"
                    tell(f"{seed} {name}: {words}: {way}: {gain}")
            tables.append(f"{name}, seed {seed}")
            yield {"tables": list(tables)} | {
                words: {way: tally.as_dict() for way, tally in ways.items()}
                for words, ways in found.items()
            }
