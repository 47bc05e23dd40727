"""What class shares that are estimated without gold are worth, where classes differ in size.

Rows of a set are drawn with equal classes, and with one class of each in turn seven tenths of them;
each draw is labelled without gold by the embedded models, once with classes taken as equal and once
under estimated shares. ``used`` tells whether the product would use these. Answers are kept in the
user's cache folder, beside those of ``label.py``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from assay.config import cache_dir
from assay.label import LabelSettings
from assay.label.rows import read_rows
from assay.label.single.fit import fit_label_free
from assay.label.single.frequencies import CLASS_SHARES
from assay.label.single.no_gold import agreeing, under_estimated_shares
from assay.label.single.student import parts_of
from assay.ledger import Ledger
from assay.llm import Gateway
from label_sets import TextSet, draw_of, load

LARGE = 0.7


def draws(data: TextSet, rows: int, seed: int) -> Iterator[tuple[str, Any]]:
    """Yield what a draw is called, and its rows: equal classes, then each class in turn large."""
    table, _ = draw_of(data, seed, rows)
    names = data.task.class_names
    truth = table[data.task.target].to_numpy()
    random = np.random.default_rng(seed)
    small = (1 - LARGE) / (len(names) - 1)
    for large in (None, *names):
        shares = {name: LARGE if name == large else small for name in names}
        if large is None:
            shares = dict.fromkeys(names, 1 / len(names))
        most = min((truth == name).sum() / share for name, share in shares.items())
        chosen = [
            random.choice(np.flatnonzero(truth == name), int(most * share), replace=False)
            for name, share in shares.items()
        ]
        yield large or "equal", table[np.sort(np.concatenate(chosen)).tolist()]


def measure(data: TextSet, gateway: Gateway, rows: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the share of rows that are right under equal and under estimated class shares."""
    for large, drawn in draws(data, rows, seed):
        asked, task = read_rows(drawn.select("text"), data.task)
        truth = drawn[data.task.target].to_numpy()
        texts = list(asked.texts)
        base, votes = fit_label_free(texts, task, gateway, LabelSettings(seed=seed))
        equal = replace(base, temperature=agreeing(votes))
        shared = under_estimated_shares(base, votes, parts_of(texts))
        step = next((each for each in shared.steps if each.name == CLASS_SHARES), None)
        yield {
            "large": large,
            "rows": len(texts),
            "used": step is not None and step.used,
            **{
                name: float(np.mean(np.array(each.answer(texts, gateway).labels) == truth))
                for name, each in (("equal", equal), ("product", shared))
            },
        }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", nargs="*", default=("agnews",))
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    if given.quick:
        given.sets, given.rows, given.seeds = ("sst2",), 200, 1
    return given


def main() -> None:
    given = arguments()
    found: dict[str, list[dict[str, Any]]] = {}
    folder = cache_dir() / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name in given.sets:
        data = load(name)
        if data is None:
            found[name] = []
            continue
        with Ledger.open(folder / f"label-{name}.sqlite") as ledger, Gateway(ledger) as gateway:
            for seed in range(given.seeds):
                for each in measure(data, gateway, given.rows, seed):
                    print(name, seed, json.dumps(each), flush=True)
                    found.setdefault(name, []).append({"seed": seed, **each})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
