"""Labelling with the embedded model: accuracy, coverage, and whether the guarantee holds.

For each set and seed 1,500 rows are labelled with 0, 50, 100 and 200 gold rows. Beside: the same
model asked plainly, and a logistic regression on the same embeddings and the same gold. The
guarantee is tried on 200 redraws of 100 gold rows. Answers are kept in the user's cache folder,
so that a second run only measures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl

from assay.config import cache_dir
from assay.evidence import accept_threshold
from assay.label import LabelSettings
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.label.run import Order, run_labelling
from assay.label.single.fit import fit_label_free, weighed
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from label_sets import TextSet, load

SETS = ("agnews", "sst2", "banking77", "r8", "news20")
GOLD = (0, 50, 100, 200)
PRECISIONS = (0.90, 0.95)
POOL = 600
CONFIDENCE = 0.95


def scores(truth: list[str], said: list[Any]) -> dict[str, float]:
    from sklearn.metrics import f1_score

    words = ["" if each is None else each for each in said]
    right = np.mean([one == other for one, other in zip(truth, words, strict=True)])
    f1 = f1_score(truth, words, average="macro", labels=sorted(set(truth)), zero_division=0)
    return {"accuracy": float(right), "macro_f1": float(f1)}


def plainly(task: Any, texts: list[str], gateway: Gateway, settings: LabelSettings) -> list[Any]:
    listed = "\n".join(f"- {each.words}" for each in task.classes)
    told = f"Say which category the text belongs to.\nCategories:\n{listed}"
    columns = (*task.inputs, task.target)
    asked = gateway.choose(
        settings.models[0],
        [Prompt(told, text, columns=columns) for text in texts],
        [each.words for each in task.classes],
        max_text_tokens=settings.max_text_tokens,
    )
    return [task.class_names[code] for code in asked.probabilities.argmax(axis=1)]


def logistic(data: TextSet, rows: pl.DataFrame, gold: pl.DataFrame, gateway: Gateway,
             settings: LabelSettings) -> list[str]:  # fmt: skip
    from sklearn.linear_model import LogisticRegression

    columns = ("text",)
    known = gateway.embed(settings.embed, gold["text"].to_list(), columns=columns)
    asked = gateway.embed(settings.embed, rows["text"].to_list(), columns=columns)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(known, gold[data.task.target].to_list())
    return [str(each) for each in model.predict(asked)]


def one_seed(data: TextSet, ledger: Ledger, gateway: Gateway, seed: int, count: int
             ) -> Iterator[dict[str, Any]]:  # fmt: skip
    rows = data.rows.sample(min(count, data.rows.height), shuffle=True, seed=seed)
    pool = data.gold.sample(POOL, shuffle=True, seed=seed)
    truth = rows[data.task.target].to_list()
    settings = LabelSettings(seed=seed)
    for size in GOLD:
        gold = pool.head(size) if size else None
        began = time.monotonic()
        order = Order(settings, PRECISIONS[0], CONFIDENCE)
        run = ledger.start_run("benchmark", {})
        result = run_labelling(
            rows.select("text"), data.task, gold, order, gateway=gateway, run=run
        )
        said = result.table[data.task.target].to_list()
        found: dict[str, Any] = {"gold": size, "seconds": time.monotonic() - began}
        found["ours"] = scores(truth, said)
        if gold is not None and gold[data.task.target].n_unique() > 1:
            found["logistic"] = scores(truth, logistic(data, rows, gold, gateway, settings))
            found["steps"] = {each.name: each.used for each in result.steps}
            for precision in PRECISIONS:
                told = result.rethreshold(precision=precision)
                right = np.array([one == other for one, other in zip(truth, said, strict=True)])
                held = float(right[told.accepted].mean()) if told.accepted.any() else None
                found[f"at_{precision:.2f}"] = {"coverage": told.coverage, "precision": held}
        else:
            found["plain"] = scores(
                truth, plainly(data.task, rows["text"].to_list(), gateway, settings)
            )
        yield found


def redraws(data: TextSet, gateway: Gateway, draws: int, count: int) -> dict[str, Any]:
    """Return how often the accepted rows are less precise than guaranteed, over gold draws."""
    settings = LabelSettings(neighbours=0, examples=0)
    rows, task = read_rows(data.rows.sample(min(count, data.rows.height), seed=0), data.task)
    truth = data.rows.sample(min(count, data.rows.height), seed=0)[task.target].to_list()
    pool = data.gold.sample(POOL, shuffle=True, seed=0)
    kind = kind_of(task)
    base, _ = fit_label_free([*rows.texts, *pool["text"].to_list()], task, gateway, settings)
    failed, reached = dict.fromkeys(PRECISIONS, 0), dict.fromkeys(PRECISIONS, 0)
    random = np.random.default_rng(0)
    for _ in range(draws):
        drawn = pool[random.choice(pool.height, 100, replace=False)]
        gold = read_gold(drawn, task, kind, rows)
        if gold is None:
            continue
        fitted = weighed(base, gold, gateway, told=False)
        answers = fitted.answer(rows.texts, gateway)
        right = np.array([one == other for one, other in zip(truth, answers.labels, strict=True)])
        for precision in PRECISIONS:
            checked = fitted.checked
            if checked is None:
                continue
            accepted = accept_threshold(
                checked.probability, checked.correct, precision=precision, confidence=CONFIDENCE
            ).accepts(answers.probability)
            reached[precision] += bool(accepted.any())
            failed[precision] += bool(accepted.any() and right[accepted].mean() < precision)
    return {
        f"{each:.2f}": {"draws": draws, "reached": reached[each], "failed": failed[each]}
        for each in PRECISIONS
    }


def spread(values: list[float]) -> dict[str, float | None]:
    """Return the mean over seeds and the half-width of its 95 % t interval, None of one seed."""
    from scipy.stats import t

    n = len(values)
    half = None if n < 2 else float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5)
    return {"mean": float(np.mean(values)), "half_width": half, "n": n}


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for size in GOLD:
        some = [each for each in found if each["gold"] == size]
        told: dict[str, Any] = {}
        for who in ("ours", "logistic", "plain"):
            for metric in ("accuracy", "macro_f1"):
                values = [each[who][metric] for each in some if who in each]
                if values:
                    told[f"{who} {metric}"] = spread(values)
        for precision in PRECISIONS:
            name = f"at_{precision:.2f}"
            values = [each[name]["coverage"] for each in some if name in each]
            if values:
                told[f"coverage {name}"] = spread(values)
        out[str(size)] = told
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    if given.quick:
        given.sets, given.seeds, given.rows, given.draws = ("sst2",), 1, 200, 20
    report: dict[str, Any] = {"rows": given.rows, "seeds": given.seeds, "sets": {}}
    report["setfit"] = "installed, not run" if find_spec("setfit") else "not installed"
    folder = cache_dir() / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name in given.sets:
        data = load(name)
        if data is None:
            report["sets"][name] = "skipped: it is not in ASSAY_DATA"
            continue
        with Ledger.open(folder / f"label-{name}.sqlite") as ledger, Gateway(ledger) as gateway:
            found = []
            for seed in range(given.seeds):
                for each in one_seed(data, ledger, gateway, seed, given.rows):
                    found.append(each)
                    print(name, seed, json.dumps(each), flush=True)
            report["sets"][name] = summary(found)
            report["sets"][name]["guarantee"] = redraws(data, gateway, given.draws, given.rows)
            print(name, json.dumps(report["sets"][name]), flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
