"""Do made texts help a rare class, and does the gate keep those that do and no others?

Reuters R8 and R52 and AG News at few rows: nothing, class weights, oversampling, texts edited and
recombined without a filter or a gate, and what the gate keeps of sifted ones; macro-F1 and the rare
class's recall on test rows that nothing has seen. Texts under shuffled labels, where nothing can
help, tell the false keeps. With ``--written`` also the rows a minute of the embedded model.

With ``--out`` each finished run is kept, and the next call goes on from there.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay import assets
from assay.config import write_text
from assay.demo import reuters
from assay.evidence import benjamini_hochberg
from assay.ledger import Ledger
from assay.llm import Gateway
from assay.recipe import Made, Recipe, Tools, baseline_recipe, compared, fit_recipe, splits
from assay.recipe.trial import out_of_fold
from assay.synth.spec import Order
from assay.synth.written import write_rows
from assay.task import ClassDescription, Task
from common import print_result, text_set

DOSES = (1.0, 4.0)
REPEATS = 2
ALPHA = 0.05
WORSE = 0.01
"""A loss beyond this counts as harm: smaller ones are within the noise of a second fit."""

SETS = ("r8", "r52", "agnews")
RARE_ROWS = 12
CLASS_ROWS = {"r8": 60, "r52": 40, "agnews": 20}
MOST_TEST = 3000
RAW, SIFTED = "assay.synth.text.made_texts", "assay.synth.text.curated_texts"


def jobs(quick: bool) -> Iterator[tuple[str, int]]:
    """Yield set and seed; every set once before any a second time."""
    for seed in range(1 if quick else 3):
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
    rarity = train.filter(pl.col("topic") == rare).height
    balance = max(1.0, (train.height / len(task.classes)) / rarity - 1)
    ways = {
        "nothing": base,
        "class weights": base.with_parameters(class_weight="balanced"),
        "oversampling": _with(base, rare, "assay.synth.tabular.made_rows", "oversample", balance),
        "ungated edit": _with(base, rare, RAW, "edit", balance),
        "ungated recombine": _with(base, rare, RAW, "recombine", balance),
    }
    proposals = {
        f"{method} x{dose:g}": _with(base, rare, SIFTED, method, dose)
        for method in ("edit", "recombine")
        for dose in DOSES
    }
    chosen, risen = screened(task, train, base, proposals, seed)
    found = {way: on_test(task, train, test, rare, recipe, seed) for way, recipe in ways.items()}
    for way, pick in (("ours", chosen), ("kept where the mean rose", risen)):
        recipe = proposals.get(pick or "")
        found[way] = on_test(task, train, test, rare, recipe, seed) if recipe else found["nothing"]
    return {"test": found, "kept": chosen, "rare": rare, "rows": train.height, "rare_rows": rarity}


def screened(
    task: Task, train: pl.DataFrame, base: Recipe, proposals: dict[str, Recipe], seed: int
) -> tuple[str | None, str | None]:
    """Return what the gate keeps, and what a rule that looks at the mean alone would."""
    tools = Tools(_unused, _unused)
    found = splits(train, task, seed=seed, folds=5, repeats=REPEATS)
    first, *others = out_of_fold(
        (base, *proposals.values()), train, task, found, tools=tools, seed=seed
    )
    trials = [compared(train, task, first, each, seed=seed) for each in others]
    gains = {name: trial.gain.estimate for name, trial in zip(proposals, trials, strict=True)}
    adjusted = benjamini_hochberg([trial.gain.p_value for trial in trials])
    passed = [
        name
        for name, trial, p_value in zip(proposals, trials, adjusted, strict=True)
        if p_value < ALPHA
        and gains[name] > 0
        and not any(-g.estimate > 0.05 and (g.p_value or 1) < ALPHA for g in trial.guards)
    ]
    risen = [name for name, gain in gains.items() if gain > 0]
    return (
        max(passed, key=gains.__getitem__, default=None),
        max(risen, key=gains.__getitem__, default=None),
    )


def on_test(
    task: Task, train: pl.DataFrame, test: pl.DataFrame, rare: str, recipe: Recipe, seed: int
) -> dict[str, float]:
    """Return macro-F1 and the rare class's recall of the recipe, taught on all training rows."""
    from sklearn.metrics import f1_score

    model = fit_recipe(recipe, train, task, tools=Tools(_unused, _unused), seed=seed)
    predicted = np.asarray(task.class_names)[model.predict_proba(test).argmax(axis=1)]
    truth = test["topic"].to_numpy()
    return {
        "macro_f1": float(f1_score(truth, predicted, average="macro")),
        "rare_recall": float((predicted[truth == rare] == rare).mean()),
    }


def written_rate(rows: int = 16) -> dict[str, float]:
    """Return how many rows a minute the embedded model writes, loading left out."""
    given = load("r8", 0)
    assert given is not None
    task, train, _, rare = given
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger") as ledger,
        Gateway(ledger) as gateway,
    ):
        model = "local:smollm2-135m"
        orders = [Order(task, train, rare, count, seed) for count, seed in ((1, 1), (rows, 2))]
        write_rows(orders[0], method="write", model=model, gateway=gateway)
        began = time.monotonic()
        found = write_rows(orders[1], method="write", model=model, gateway=gateway)
        minutes = (time.monotonic() - began) / 60
    return {"asked": found.asked, "written": found.rows.height, "a_minute": found.asked / minutes}


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
                "rare_recall": float(np.mean(found["rare_recall"])),
                "worse": float(np.mean(np.array(found["macro_f1"]) < -WORSE)),
            }
            for way, found in gains.items()
        },
        "kept": sum(each["kept"] is not None for each in real),
        "false_keeps": {"kept": sum(e["kept"] is not None for e in noise), "of": len(noise)},
    }


def _with(recipe: Recipe, rare: str, path: str, method: str, dose: float) -> Recipe:
    made = Made(path=path, class_name=rare, dose=dose, parameters={"method": method})
    return recipe.with_made(made)


def _unused(*_: object, **__: object) -> Any:
    raise AssertionError("no artefact and no embedding is read")


def main() -> None:
    """Run, keep, sum up; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one set, one seed; a smoke test")
    parser.add_argument("--out", type=Path, help="a JSON file that keeps each finished run")
    parser.add_argument("--written", action="store_true", help="time the embedded model too")
    options = parser.parse_args()
    runs: dict[str, Any] = {}
    rate = None
    if options.out is not None and options.out.exists():
        kept = json.loads(options.out.read_text())
        runs, rate = kept["runs"], kept.get("written")
    if options.written and rate is None:
        rate = written_rate()
    for name, seed in jobs(options.quick):
        key = f"{name} {seed}"
        if key not in runs:
            runs[key] = run(name, seed)
            print(f"{key}: done", flush=True)
        if options.out is not None:
            body = {"runs": runs, "summary": summary(runs), "written": rate}
            write_text(options.out, json.dumps(body, indent=1, sort_keys=True) + "\n")
    print_result(**summary(runs), written=rate)


if __name__ == "__main__":
    main()
