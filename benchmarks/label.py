"""Labelling with the embedded model: accuracy, coverage, and whether the guarantee holds.

For each set and seed 1,500 rows are labelled with 0, 50, 100 and 200 gold rows. Beside: the same
model asked plainly (of the first 500 rows), a logistic regression on the same embeddings and the
same gold, and, without gold, Dawid and Skene's model of the same votes. The guarantee is tried on
redraws of 100 gold rows from the rows to label, as a user draws them, with the linear student
(``--draws``) and, as each of these tunes six encoders, on fewer with the fine-tuned one
(``--tuned-draws``); ``--split-draws`` draws gold from the set's other split, where nothing is
promised. ``--redraw-of`` names the seed whose rows are redrawn, as one whose answers are kept
asks nothing; each redraw has a number of its own, and those of several seeds' rows add up. All
other gold comes from 600 rows of that split. Answers are kept in the user's cache folder, so that
a second run only measures. ``--out`` keeps the figures of every seed and the counts of the
redraws: what the file holds is not measured again, unless with ``--again``. So ``--seeds 3``
after ``--seeds 1`` measures two, and ``--draws 200`` after ``--draws 50`` draws 150. ``--rate
ROWS`` times so many rows that nothing was answered of, on a machine that does nothing else.
``label_table.py`` makes the document's tables of it.
``--setfit PYTHON`` and ``--crowdkit PYTHON`` name interpreters that have these packages: SetFit
learns from 100 gold rows with the same encoder, and as it asks no language model,
``--gold --draws 0 --setfit PYTHON`` measures it alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.config import cache_dir
from assay.label import LabelSettings
from assay.label.gold import read_gold
from assay.label.kinds import kind_of
from assay.label.rows import read_rows
from assay.label.single.beside import Unlabelled
from assay.label.single.fit import fit_label_free, weighed
from assay.label.single.no_gold import under_estimated_shares
from assay.label.single.student import parts_of
from assay.ledger import Ledger
from assay.llm import Gateway
from label_baselines import logistic, plainly
from label_dawid_skene import dawid_skene
from label_kept import Kept
from label_peers import crowdkit, setfit
from label_rate import rate_of
from label_redraws import PRECISIONS, Redraws, accepts, redraws
from label_sets import TextSet, draw_of, load

SETS = ("agnews", "sst2", "banking77", "r8", "news20")
GOLD = (0, 50, 100, 200)
STUDENTS = ("fine-tuned", "linear")
PLAIN = 500
SETFIT_GOLD = 100


def scores(truth: list[str], said: list[Any]) -> dict[str, float]:
    from sklearn.metrics import f1_score

    words = ["" if each is None else each for each in said]
    right = np.mean([one == other for one, other in zip(truth, words, strict=True)])
    f1 = f1_score(truth, words, average="macro", labels=sorted(set(truth)), zero_division=0)
    return {"accuracy": float(right), "macro_f1": float(f1)}


def one_seed(data: TextSet, gateway: Gateway, seed: int, sizes: Sequence[int],
             given: argparse.Namespace) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yield what is measured of one draw of the rows, with each size of gold."""
    rows, pool = draw_of(data, seed, given.rows)
    truth = rows[data.task.target].to_list()
    settings = LabelSettings(seed=seed, student=given.student)
    asked, task = read_rows(rows.select("text"), data.task)
    kind, everything = kind_of(task), [*asked.texts, *pool["text"].to_list()]
    began = time.monotonic()
    base, said = fit_label_free(everything, task, gateway, settings)
    unlabelled = Unlabelled(everything, said)
    fitting = time.monotonic() - began
    for size in sizes:
        gold = pool.head(size) if size else None
        began = time.monotonic()
        known = read_gold(gold, task, kind, asked)
        if known is None:
            fitted = under_estimated_shares(base, said, parts_of(everything))
        else:
            fitted = weighed(base, known, gateway, unlabelled, told=False)
        answers = fitted.answer(asked.texts, gateway)
        labels = answers.labels
        found: dict[str, Any] = {"gold": size, "seconds": fitting + time.monotonic() - began}
        found["ours"] = scores(truth, labels)
        if gold is not None and gold[data.task.target].n_unique() > 1:
            found["logistic"] = scores(truth, logistic(data, rows, gold, gateway, settings))
            right = np.array([one == other for one, other in zip(truth, labels, strict=True)])
            for precision in PRECISIONS:
                accepted = accepts(fitted, answers.probability, precision)
                held = float(right[accepted].mean()) if accepted.any() else None
                coverage = float(accepted.mean())
                found[f"at_{precision:.2f}"] = {"coverage": coverage, "precision": held}
        else:
            some = rows["text"].head(PLAIN).to_list()
            found["plain"] = scores(truth[:PLAIN], plainly(data.task, some, gateway, settings))
            votes = {name: each for name, each in answers.votes.items() if name != "combined"}
            names = data.task.class_names
            found["dawid_skene"] = scores(truth, dawid_skene(list(votes.values()), names))
            if given.crowdkit:
                found["crowdkit"] = scores(truth, crowdkit(given.crowdkit, votes, names))
        yield found


def of_setfit(data: TextSet, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """Return how right SetFit is on the rows that one draw labels, and its most steps."""
    rows, pool = draw_of(data, seed, given.rows)
    gold, target = pool.head(SETFIT_GOLD), data.task.target
    known = gold["text"].to_list(), gold[target].to_list()
    said = setfit(given.setfit, known, rows["text"].to_list(), seed, given.setfit_steps)
    return {**scores(rows[target].to_list(), said), "steps": given.setfit_steps}


def setfit_lacks(kept: Kept, name: str, seed: int, steps: int) -> bool:
    """Return whether SetFit is not measured with a seed and so many steps."""
    found = kept.peer(name, "setfit", SETFIT_GOLD).get(str(seed))
    return found is None or found["steps"] != steps


def measure(data: TextSet, gateway: Gateway, kept: Kept, given: argparse.Namespace) -> None:
    """Measure what is not kept of one set."""
    name = f"{data.name}, {given.student}"
    for seed in range(given.seeds):
        sizes = [
            size for size in given.gold
            if given.again
            or kept.lacking(name, size, seed, ["crowdkit"] if size == 0 and given.crowdkit else [])
        ]  # fmt: skip
        for each in one_seed(data, gateway, seed, sizes, given) if sizes else ():
            kept.add(name, seed, each)
            print(data.name, seed, json.dumps(each), flush=True)
        if given.setfit and (given.again or setfit_lacks(kept, name, seed, given.setfit_steps)):
            kept.add_peer(name, "setfit", SETFIT_GOLD, seed, of_setfit(data, seed, given))
    if given.rate and (given.again or not kept.rate(name)):
        kept.add_rate(name, rate_of(data, gateway, given.rate, given.student))
    for way, how in (
        ("guarantee", Redraws(given.draws, rows_of=given.redraw_of)),
        ("guarantee tuned", Redraws(given.tuned_draws, tuned=True, rows_of=given.redraw_of)),
        ("guarantee split", Redraws(given.split_draws, split=True, rows_of=given.redraw_of)),
    ):
        student = f"{data.name}, {STUDENTS[0 if how.tuned else 1]}"
        held = {} if given.again else kept.redrawn(student, way)
        for counts in redraws(data, gateway, how, given.rows, held):
            kept.add_redraws(student, way, counts)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sets", nargs="*", default=SETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--gold", nargs="*", type=int, default=GOLD)
    parser.add_argument("--student", choices=STUDENTS, default=STUDENTS[0])
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--tuned-draws", type=int, default=0)
    parser.add_argument("--split-draws", type=int, default=0)
    parser.add_argument("--rate", type=int, default=0, help="time the labelling of so many rows")
    parser.add_argument("--redraw-of", type=int, default=0, help="the seed whose rows they label")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", action="store_true", help="measure what --out holds, too")
    parser.add_argument("--setfit", help="an interpreter that has SetFit")
    parser.add_argument("--setfit-steps", type=int, default=-1, help="its most steps; -1: all")
    parser.add_argument("--crowdkit", help="an interpreter that has crowd-kit")
    given = parser.parse_args()
    if given.quick:
        given.sets, given.seeds, given.rows, given.draws = ("sst2",), 1, 200, 20
    return given


def main() -> None:
    given = arguments()
    kept = Kept(given.out, given.rows)
    folder = cache_dir() / "benchmarks"
    folder.mkdir(exist_ok=True)
    skipped = {}
    for name in given.sets:
        data = load(name)
        if data is None:
            skipped[name] = "it is not in ASSAY_DATA"
            continue
        with Ledger.open(folder / f"label-{name}.sqlite") as ledger, Gateway(ledger) as gateway:
            measure(data, gateway, kept, given)
    print(json.dumps({**kept.summaries(), "skipped": skipped}))


if __name__ == "__main__":
    main()
