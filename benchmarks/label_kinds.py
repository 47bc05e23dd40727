"""Labelling of other kinds than one class a row: how right, how sure, against what is simple.

Tasks are made of real texts, because no set of these kinds is at hand, and their truth is known
by how they were made:

multi
    None to three news items in one text; which topics are there.
ordinal
    Four sentences of film reviews in one text; how many of them praise the film.
match
    The first half and the second half of a news item; the wrong halves are the most similar ones.
extract
    News items with a dateline; the agency, and the place as a span.

Each is measured on rows that the labeller never saw the truth of, beside logistic regression on
the same embeddings and the same gold where there is one. Embedded models only; one seed.
"""

from __future__ import annotations

import re
import time
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from assay.label.result import LabelResult
from assay.label.run import Order, run_labelling
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Gateway
from assay.task import ClassDescription
from common import arguments, print_result, text_set

TOPICS = {
    "World": "world news and politics",
    "Sports": "sports",
    "Business": "business",
    "Sci/Tech": "science and technology",
}
LEVELS = {
    "0": "very negative",
    "1": "negative",
    "2": "mixed",
    "3": "positive",
    "4": "very positive",
}
DATELINE = re.compile(r"\b([A-Z][A-Z ]{2,24}[A-Z])(?:, [A-Z][a-z]+)? \((AP|Reuters|AFP)\)")
PRECISION = 0.9
Floats = NDArray[np.float64]


class Dateline(BaseModel):
    """What the extraction looks for."""

    place: str = Field(description="the place of the dateline", json_schema_extra={"span": True})
    agency: Literal["AP", "Reuters", "AFP"] = Field(description="the news agency")


def described(words: dict[str, str]) -> tuple[ClassDescription, ...]:
    return tuple(ClassDescription(name=name, description=each) for name, each in words.items())


def multi_rows(news: pl.DataFrame, count: int) -> tuple[LabelTask, pl.DataFrame]:
    random = np.random.default_rng(1)
    at = 0
    texts: list[str] = []
    labels: list[list[str]] = []
    items = news.rows()
    while len(texts) < count:
        held = items[at : at + int(random.integers(1, 4))]
        at += len(held)
        texts.append("\n".join(text for text, _ in held))
        labels.append([name for name in TOPICS if any(name == label for _, label in held)])
    return LabelTask(kind="multi", classes=described(TOPICS)), pl.DataFrame(
        {"text": texts, "label": labels}
    )


def ordinal_rows(reviews: pl.DataFrame, count: int) -> tuple[LabelTask, pl.DataFrame]:
    random = np.random.default_rng(2)
    praise = {side: reviews.filter(pl.col("label").is_in(names))["text"].to_list()
              for side, names in ((0, ["0", "negative"]), (1, ["1", "positive"]))}  # fmt: skip
    texts, labels = [], []
    for _ in range(count):
        level = int(random.integers(5))
        some = [praise[int(side < level)].pop() for side in range(4)]
        texts.append("\n".join(random.permutation(some)))
        labels.append(str(level))
    return LabelTask(kind="ordinal", classes=described(LEVELS)), pl.DataFrame(
        {"text": texts, "label": labels}
    )


def match_rows(news: pl.DataFrame, count: int, gateway: Gateway) -> tuple[LabelTask, pl.DataFrame]:
    random = np.random.default_rng(3)
    halves = []
    for text in news["text"].to_list()[: 2 * count]:
        words = text.split()
        if len(words) >= 16:
            halves.append((" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])))
    halves = halves[:count]
    vectors = gateway.embed("local:minilm", [right for _, right in halves])
    near = vectors @ vectors.T - 2 * np.eye(len(halves))
    rows = []
    for row, (left, right) in enumerate(halves):
        same = bool(random.random() < 0.4)
        rows.append((left, right if same else halves[int(near[row].argmax())][1],
                     "match" if same else "different"))  # fmt: skip
    task = LabelTask(kind="match", left=("first",), right=("second",))
    return task, pl.DataFrame(rows, schema=["first", "second", "label"], orient="row")


def extract_rows(news: pl.DataFrame, count: int) -> tuple[LabelTask, pl.DataFrame]:
    texts: list[str] = []
    labels: list[dict[str, Any]] = []
    for text in news["text"].to_list():
        found = DATELINE.search(text)
        if found and len(texts) < count:
            texts.append(text)
            place = {"text": found[1], "start": found.start(1), "end": found.end(1)}
            labels.append({"place": place, "agency": found[2]})
    return LabelTask.of(Dateline), pl.DataFrame({"text": texts, "label": labels})


def regression(
    task: LabelTask, gold: pl.DataFrame, rows: pl.DataFrame, gateway: Gateway
) -> list[Any]:
    """Return the answers of logistic regression on the same embeddings."""
    from sklearn.linear_model import LogisticRegression

    one, other = (_vectors(task, table, gateway) for table in (gold, rows))
    if task.kind != "multi":
        return list(
            LogisticRegression(max_iter=1000).fit(one, gold["label"].to_list()).predict(other)
        )
    held = np.zeros((len(rows), len(task.classes)), dtype=bool)
    for column, name in enumerate(task.class_names):
        truth = np.array([name in each for each in gold["label"].to_list()])
        held[:, column] = LogisticRegression(max_iter=1000).fit(one, truth).predict(other)
    return [[name for name, yes in zip(task.class_names, row, strict=True) if yes] for row in held]


def _vectors(task: LabelTask, table: pl.DataFrame, gateway: Gateway) -> Floats:
    if task.kind != "match":
        return gateway.embed("local:minilm", table["text"].to_list()).astype(np.float64)
    one, two = (
        gateway.embed("local:minilm", table[side].to_list()) for side in ("first", "second")
    )
    return np.concatenate([one * two, np.abs(one - two)], axis=1).astype(np.float64)


def shares(found: list[Any], truth: list[Any], kind: str) -> dict[str, float]:
    """Return how right answers are."""
    from assay.label.extract.agreeing import same

    if kind == "extract":
        right = [each is not None and all(same(each[name], true[name]) for name in true)
                 for each, true in zip(found, truth, strict=True)]  # fmt: skip
        return {"accuracy": float(np.mean(right))}
    out = {"accuracy": float(np.mean([one == two for one, two in zip(found, truth, strict=True)]))}
    if kind == "ordinal":
        off = np.abs(np.array(found, dtype=int) - np.array(truth, dtype=int))
        out |= {"within_one": float(np.mean(off <= 1)), "mae": float(off.mean())}
    if kind == "multi":
        pairs = [
            (name in one, name in two)
            for one, two in zip(found, truth, strict=True)
            for name in TOPICS
        ]
        both = sum(one and two for one, two in pairs)
        out["micro_f1"] = 2 * both / max(1, sum(one + two for one, two in pairs))
    return out


def measured(
    task: LabelTask, table: pl.DataFrame, gold_rows: int, gateway: Gateway, run: str
) -> dict[str, Any]:
    """Return the figures of one task, without gold and with it."""
    gold, rows = table.head(gold_rows), table.tail(table.height - gold_rows)
    truth = rows["label"].to_list()
    out: dict[str, Any] = {"rows": rows.height, "gold": gold.height}
    began = time.monotonic()
    for name, some in (("without_gold", None), ("with_gold", gold)):
        result = run_labelling(
            rows.drop("label"),
            task,
            some,
            Order(LabelSettings(), PRECISION),
            gateway=gateway,
            run=run,
        )
        out[name] = shares(result.answers.labels, truth, task.kind)
        if some is not None:
            out[name] |= _sureness(result, truth, task.kind)
    out["seconds"] = time.monotonic() - began
    if task.kind != "extract":
        out["logistic_regression"] = shares(regression(task, gold, rows, gateway), truth, task.kind)
    return out


def _sureness(result: LabelResult, truth: list[Any], kind: str) -> dict[str, float]:
    """Return how well stated probabilities and the guarantee were met."""
    accepted = np.flatnonzero(result.accepted).tolist()
    found = [result.answers.labels[row] for row in accepted]
    some = [truth[row] for row in accepted]
    mean = float(np.nanmean(result.answers.probability))
    out = {"coverage": result.coverage, "mean_probability": mean}
    if accepted:
        out["precision_of_accepted"] = shares(found, some, kind)["accuracy"]
    return out


def main() -> None:
    import tempfile
    from pathlib import Path

    quick = arguments(__doc__).quick
    news, reviews = text_set("agnews_test"), text_set("sst2_train")
    if news is None or reviews is None:
        print_result(skipped="ASSAY_DATA holds no agnews_test and sst2_train")
        return
    news, reviews = (each.select("text", "label").sample(fraction=1, shuffle=True, seed=0)
                     for each in (news, reviews))  # fmt: skip
    count, gold = (90, 40) if quick else (600, 100)
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
    ):
        run = ledger.start_run("label", {})
        with Gateway(ledger, run=run) as gateway:
            tasks = {
                "multi": multi_rows(news, count),
                "ordinal": ordinal_rows(reviews, count),
                "match": match_rows(news, count, gateway),
                "extract": extract_rows(news, 60 if quick else 200),
            }
            found = {
                name: measured(
                    task, table, gold if name != "extract" else table.height // 2, gateway, run
                )
                for name, (task, table) in tasks.items()
            }
    print_result(benchmark="label_kinds", precision_asked=PRECISION, **found)


if __name__ == "__main__":
    main()
