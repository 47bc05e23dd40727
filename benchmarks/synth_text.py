"""Do made texts help a rare class, and does the gate keep those that do and no others?

Reuters R8 and R52 and AG News at few rows: nothing, class weights, oversampling, texts edited and
recombined without a filter or a gate, and what the gate keeps of sifted ones; macro-F1 and the rare
class's recall on test rows that nothing has seen. Texts under shuffled labels, where nothing can
help, tell the false keeps.

With ``--out`` each finished run is kept, and the next call goes on from there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay import assets
from assay.config import write_text
from assay.demo import reuters
from assay.recipe import Recipe, baseline_recipe, fit_recipe
from assay.synth.judging import Court, best
from assay.synth.scarcity import up_to_balance
from assay.synth.unmade import MOVED, WEIGHTS
from assay.task import ClassDescription, Task
from common import print_result, text_set
from synth_runs import (
    MAKER,
    OURS,
    REPEATS,
    RISEN,
    made,
    no_tools,
    proposals,
    risen,
    told_name,
)

WORSE = 0.01
"""A loss beyond this counts as harm: smaller ones are within the noise of a second fit."""

SETS = ("r8", "r52", "agnews")
RARE_ROWS = 12
CLASS_ROWS = {"r8": 60, "r52": 40, "agnews": 20}
MOST_TEST = 3000
RAW = "assay.synth.text.made_texts"


def jobs(seeds: Sequence[int], quick: bool) -> Iterator[tuple[str, int]]:
    """Yield set and seed; every set once before any a second time."""
    for seed in seeds[: 1 if quick else None]:
        for name in SETS[:1] if quick else SETS:
            yield name, seed
    for seed in range(1 if quick else 10):
        yield "noise", seed


def load(name: str, seed: int) -> tuple[Task, pl.DataFrame, pl.DataFrame, str] | None:
    """Return task, training rows, test rows and the rare class; None where the set is absent.

    Every class has at most so many rows (60, 40, 20), and one of them, drawn by the seed, twelve.
    """
    rows = _rows("r8" if name == "noise" else name)
    if rows is None:
        return None
    per_class = CLASS_ROWS["r8" if name == "noise" else name]
    sizes = dict(rows["topic"].value_counts().rows())
    usable = sorted(each for each, size in sizes.items() if size >= per_class + 20)
    random = np.random.default_rng(seed)
    rare = str(random.choice(usable))
    rows = rows.filter(pl.col("topic").is_in(usable)).sample(fraction=1.0, shuffle=True, seed=seed)
    rows = rows.with_columns(row_id=pl.int_range(pl.len()).cast(pl.String))
    place = pl.int_range(pl.len()).over("topic")
    most = pl.when(pl.col("topic") == rare).then(RARE_ROWS).otherwise(per_class)
    train, test = rows.filter(place < most), rows.filter(place >= per_class)
    if name == "noise":
        train = train.with_columns(pl.col("topic").shuffle(seed))
    task = Task(
        kind="multiclass",
        modality="text",
        target="topic",
        text="text",
        classes=tuple(ClassDescription(name=each) for each in usable),
        metric="macro_f1",
    )
    return task, train, test.head(MOST_TEST), rare


def _rows(name: str) -> pl.DataFrame | None:
    if name != "agnews":
        parts = [reuters.read_tab(assets.fetch(f"reuters-{name}-{part}")) for part in ("train",)]
        return parts[0].select("text", "topic").unique(maintain_order=True)
    table = text_set("agnews_test")
    return None if table is None else table.select("text", pl.col("label").alias("topic"))


def run(name: str, seed: int) -> dict[str, Any] | None:
    """Return every way's figures on the test rows, and what the gate keeps."""
    given = load(name, seed)
    if given is None:
        return None
    task, train, test, rare = given
    base = baseline_recipe(task)
    balance = max(up_to_balance((1.0,), train, task, rare))
    ways = {
        "nothing": base,
        WEIGHTS: base.with_parameters(class_weight="balanced"),
        MOVED: base.model_copy(update={"rarity": 1.0}),
        "oversampling": base.with_made(made(rare, MAKER, "oversample", balance)),
        "ungated edit": base.with_made(made(rare, RAW, "edit", balance)),
        "ungated recombine": base.with_made(made(rare, RAW, "recombine", balance)),
    }
    court = Court(train, task, no_tools(), seed, repeats=REPEATS)
    judged = court.judge(base, proposals(task, train, base, rare))
    chosen = {OURS: best(judged), RISEN: risen(judged)}
    recipes = {**ways, **{rule: base if j is None else j.recipe for rule, j in chosen.items()}}
    return {
        "test": {
            way: on_test(task, train, test, rare, recipe, seed) for way, recipe in recipes.items()
        },
        "kept": {rule: None if j is None else told_name(j) for rule, j in chosen.items()},
        "rare": rare,
        "rows": train.height,
        "rare_rows": train.filter(pl.col("topic") == rare).height,
    }


def on_test(
    task: Task, train: pl.DataFrame, test: pl.DataFrame, rare: str, recipe: Recipe, seed: int
) -> dict[str, float]:
    """Return macro-F1 and the rare class's recall of the recipe, taught on all training rows."""
    from sklearn.metrics import f1_score

    model = fit_recipe(recipe, train, task, tools=no_tools(), seed=seed)
    predicted = np.asarray(task.class_names)[model.predict_proba(test).argmax(axis=1)]
    truth = test["topic"].to_numpy()
    return {
        "macro_f1": float(f1_score(truth, predicted, average="macro")),
        "rare_recall": float((predicted[truth == rare] == rare).mean()),
    }


def summary(runs: dict[str, Any]) -> dict[str, Any]:
    """Return each way's mean gain over nothing, its share of harm, and the false keeps."""
    real = [each for key, each in runs.items() if each and not key.startswith("noise")]
    noise = [each for key, each in runs.items() if each and key.startswith("noise")]
    ways = sorted({way for each in real for way in each["test"]} - {"nothing"})
    gains = {
        way: {
            metric: [each["test"][way][metric] - each["test"]["nothing"][metric] for each in real]
            for metric in ("macro_f1", "rare_recall")
        }
        for way in ways
    }
    return {
        "runs": len(real),
        "ways": {
            way: {
                "macro_f1": float(np.mean(found["macro_f1"])),
                "macro_f1_standard_error": _standard_error(found["macro_f1"]),
                "rare_recall": float(np.mean(found["rare_recall"])),
                "rare_recall_standard_error": _standard_error(found["rare_recall"]),
                "worst": float(np.min(found["macro_f1"])),
                "worse": float(np.mean(np.array(found["macro_f1"]) < -WORSE)),
            }
            for way, found in gains.items()
        },
        "kept": {rule: _kept(real, rule) for rule in (OURS, RISEN)},
        "false_keeps": {rule: _kept(noise, rule) for rule in (OURS, RISEN)},
    }


def _standard_error(values: list[float]) -> float:
    return float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")


def _kept(runs: list[dict[str, Any]], rule: str) -> dict[str, int]:
    return {"kept": sum(each["kept"][rule] is not None for each in runs), "of": len(runs)}


def main() -> None:
    """Run, keep, sum up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one set, one seed; a smoke test")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2), help="which draws")
    parser.add_argument("--out", type=Path, help="a JSON file that keeps each finished run")
    options = parser.parse_args()
    runs: dict[str, Any] = {}
    if options.out is not None and options.out.exists():
        runs = json.loads(options.out.read_text())["runs"]
    for name, seed in jobs(options.seeds, options.quick):
        key = f"{name} {seed}"
        if key not in runs:
            runs[key] = run(name, seed)
            print(f"{key}: done", flush=True)
        if options.out is not None:
            body = {"runs": runs, "summary": summary(runs)}
            write_text(options.out, json.dumps(body, indent=1, sort_keys=True) + "\n")
    print_result(**summary(runs))


if __name__ == "__main__":
    main()
