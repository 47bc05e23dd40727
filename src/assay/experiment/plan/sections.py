"""The lines of a plan that rules write, section by section."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from assay.evidence import metric
from assay.experiment.plan.ground import Ground
from assay.experiment.plan.spec import Line, Section
from assay.experiment.search.space import Choice, Dimension
from assay.experiment.search.texts import EMBEDDED
from assay.recipe.splits import FOLDS, REPEATS
from assay.tables.counts import value_counts

MINUTES = 10.0
SMALL_CLASS = 30
NAMED = 6


def lines_of(ground: Ground, chosen: str, why: str) -> Iterator[Line]:
    """Yield the lines, section by section; ``why`` is why the metric was ``chosen``."""
    yield from _question(ground)
    yield from _about_metric(ground, chosen, why)
    yield from _split(ground)
    yield from _leakage(ground)
    yield from _baselines(ground)
    yield from _preprocessing(ground)
    yield from _features(ground)
    for each in ground.families:
        yield _line("families", each.name, each.why)
        space = ", ".join(f"{name} {_told(one)}" for name, one in each.space.items())
        yield _line("search space", f"{each.name}: {space}")
    if ground.wishes.explain:
        yield _line("families", "none but these", "you need to explain it: sums of effects")
    yield from _effort(ground)
    yield from _risks(ground)


def _question(ground: Ground) -> Iterator[Line]:
    task = ground.task
    what = {"regression": "the value of", "binary": "which of two classes is"}
    kind = what.get(task.kind, f"which of {len(task.classes)} classes is")
    read = f"the text {task.text!r}" if task.text else f"{len(task.features)} columns"
    yield _line("question", f"predict {kind} {task.target!r} from {read}")
    if task.kind == "binary":
        yield _line("question", f"the positive class is {task.class_names[1]!r}")


def _about_metric(ground: Ground, chosen: str, why: str) -> Iterator[Line]:
    yield _line("metric", chosen, why)
    costs = ground.costs
    if costs is not None:
        yield _line(
            "metric",
            f"raise an alarm from a probability of {costs.threshold:.3f}",
            f"{costs.false_alarm:g} / ({costs.false_alarm:g} + {costs.miss:g}): there a false "
            "alarm and a miss are expected to cost the same",
        )
    if ground.wishes.costs_unread and ground.task.kind == "binary":
        yield _line(
            "metric",
            "what mistakes cost is not understood and plays no part",
            "say it in one unit, as in: false alarms cost 1, misses cost 20",
        )
    if ground.wishes.costs is not None and costs is None:
        yield _line(
            "metric",
            "what mistakes cost plays no part",
            f"costs are of two classes, and this is a {ground.task.kind} task",
        )
    if chosen == ground.task.metric:
        return
    if costs is not None and chosen == costs.metric:
        yield _line(
            "metric",
            f"an experiment that follows this plan judges by {chosen}",
            f"in place of {ground.task.metric}; assay.toml follows once the vault confirms",
        )
    else:
        yield _line(
            "metric",
            f"set metric = {chosen!r} in assay.toml",
            f"the project is judged by {ground.task.metric}, which is not what you ask for",
        )


def _split(ground: Ground) -> Iterator[Line]:
    task = ground.task
    if task.time is not None:
        yield _line("split", f"by time, in the order of {task.time!r}", "later rows judge")
    elif task.group is not None:
        yield _line("split", f"by whole groups of {task.group!r}", "rows of one are alike")
    else:
        kept = "" if task.kind == "regression" else ", each class's share kept"
        yield _line("split", f"by rows{kept}", "no column is named for groups or time")
    repeats = 1 if task.time else REPEATS
    yield _line("split", f"{FOLDS} folds, {repeats} time(s) for the gate", "copies lie together")


def _leakage(ground: Ground) -> Iterator[Line]:
    for leak in ground.leaks:
        yield _line("leakage", f"leave out {leak.column!r}", leak.why)
    if not ground.leaks:
        yield _line("leakage", "no column alone gives the target away", "each was tried")
    dates = [each.name for each in ground.columns if each.kind == "date"]
    if ground.wishes.ahead and ground.task.time is None:
        next_step = f"make the project anew with --time {dates[0]}" if dates else "name a time"
        yield _line(
            "leakage",
            f"the split by rows lets the future help to predict the past: {next_step}",
            f"you ask about {ground.wishes.ahead!r}",
        )
    named = ground.wishes.group
    units = [each.name for each in ground.columns if each.names_units]
    for name in dict.fromkeys([*([named] if named else []), *units]):
        if name != ground.task.group:
            yield _line(
                "leakage",
                f"rows that share {name!r} may lie on both sides of a split",
                f"make the project anew with --group {name} if new rows have new ones",
            )


def _baselines(ground: Ground) -> Iterator[Line]:
    target, task = ground.rows[ground.task.target], ground.task
    if task.kind == "regression":
        values = target.cast(pl.Float64).to_numpy()
        guess = np.median(values) if task.metric == "mae" else values.mean()
        score = metric(task.metric).score(values, np.full(len(values), guess))
        yield _line("baselines", f"always {guess:.4g}: {task.metric} {score:.4g}", "search rows")
    else:
        counts = value_counts(target)
        share = counts["count"][0] / target.len()
        what = f"always {counts['value'][0]!r}: accuracy {share:.3f}"
        yield _line("baselines", what, "what knowing nothing gives on the search rows")
        costs = ground.costs
        if costs is not None:
            positive = float((target == task.class_names[1]).cast(pl.Float64).mean())  # type: ignore[arg-type]
            never, always = costs.miss * positive, costs.false_alarm * (1 - positive)
            what = f"never an alarm: {costs.metric} {never:.3f}; always one: {always:.3f}"
            yield _line("baselines", what, "what knowing nothing costs a row")
    yield _line("baselines", f"recipe {ground.project.recipe.hash}", "what has to be beaten")


def _preprocessing(ground: Ground) -> Iterator[Line]:
    pieces = "pieces of words, reduced (skrub's StringEncoder)"
    how = {
        "number": "as they are; scaled or ranked for what measures distances",
        "category": "one column each; codes for trees",
        "many categories": pieces,
        "date": "year, month, day, weekday and the time that passed",
        "text": "words, letters or embeddings" if ground.task.text else pieces,
    }
    for kind, done in how.items():
        names = [each.name for each in ground.columns if each.kind == kind]
        if names:
            yield _line("preprocessing", f"{kind}: {_listed(names)}", done)
    empty = [each.name for each in ground.columns if each.empty > 0]
    if empty:
        why = "left to trees; else the mean, with and without a column that says so"
        yield _line("preprocessing", f"empty cells: {_listed(empty)}", why)


def _features(ground: Ground) -> Iterator[Line]:
    skewed = [each.name for each in ground.columns if each.skewed]
    if skewed:
        yield _line("features", f"logarithms of {_listed(skewed)}", "they span many magnitudes")
    numbers = [each.name for each in ground.columns if each.kind == "number"]
    if len(numbers) >= 2:
        pair = f"ratios and differences, as {numbers[0]!r} to {numbers[1]!r}"
        yield _line("features", pair, "trees and lines find neither by themselves")
    dates = [each.name for each in ground.columns if each.kind == "date"]
    if len(dates) >= 2:
        yield _line("features", f"time between {_listed(dates)}", "ages and durations decide often")
    if not (skewed or len(numbers) >= 2 or len(dates) >= 2):
        yield _line("features", "none beyond the columns", "nothing suggests itself")


def _effort(ground: Ground) -> Iterator[Line]:
    wishes = ground.wishes
    minutes = wishes.minutes or MINUTES
    why = "you named it" if wishes.minutes else "the default"
    if wishes.minutes_unread:
        why += "; what time you name is not clearly the search's: write, search for 5 minutes"
    yield _line("stopping", f"after {minutes:g} minutes, judging the choice included", why)
    yield _line("stopping", "one look at the vault decides", "no second search on its rows")
    yield _line("power", str(ground.judged.plan()), "smaller gains cannot be told from noise")
    here, model = f"{minutes:g} minutes of this machine", ground.project.settings.models.embed
    if model.startswith("local:") or not any(each.name in EMBEDDED for each in ground.families):
        yield _line("cost", f"{here}, $0", "no model elsewhere is asked")
    else:
        told = f"{here}, and what {model} charges to embed {ground.rows.height:,} texts"
        yield _line("cost", told, "without the families that embed, $0")


def _risks(ground: Ground) -> Iterator[Line]:
    task, rows = ground.task, ground.rows
    if task.kind != "regression":
        counts = value_counts(rows[task.target])
        name, count = counts["value"][-1], counts["count"][-1]
        if count < SMALL_CLASS:
            yield _line(
                "risks", f"class {name!r} has {count} search rows", "its figures will be noise"
            )
    vault = ground.project.vault()
    if vault.looks_left == 0:
        yield _line("risks", "no look at the vault is left", "nothing can be confirmed")
    if rows.height < 10 * max(len(task.inputs), 1):
        yield _line(
            "risks", f"{len(task.inputs)} columns for {rows.height} rows", "the simplest may win"
        )
    gaps = [each.name for each in ground.columns if each.empty > 0.3]
    if gaps:
        why = "why a cell is empty may differ where the model will be used"
        yield _line("risks", f"often empty: {_listed(gaps)}", why)
    yield _line("risks", "the world changes", "measure again on rows of the time of use")


def _line(section: Section, what: str, why: str = "") -> Line:
    return Line(section=section, what=what, why=why)


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _told(each: Dimension) -> str:
    if isinstance(each, Choice):
        return "/".join(str(option) for option in each.options)
    return f"{each.low:g}-{each.high:g}" + (" (log)" if each.log else "")
