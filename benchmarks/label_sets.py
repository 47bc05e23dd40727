"""The text sets of the labelling benchmarks, described in words from the class names alone."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from assay import assets
from assay.demo import reuters
from assay.label import LabelTask
from assay.task import ClassDescription
from common import text_set

POOL = 600

NEWS = {
    "World": "world news, politics and international affairs",
    "Sports": "sports",
    "Business": "business, companies and markets",
    "Sci/Tech": "science and technology",
}
GROUPS = {
    "alt.atheism": "atheism",
    "comp.graphics": "computer graphics",
    "comp.os.ms-windows.misc": "Microsoft Windows",
    "comp.sys.ibm.pc.hardware": "PC hardware",
    "comp.sys.mac.hardware": "Apple Macintosh hardware",
    "comp.windows.x": "the X Window System",
    "misc.forsale": "items for sale",
    "rec.autos": "cars",
    "rec.motorcycles": "motorcycles",
    "rec.sport.baseball": "baseball",
    "rec.sport.hockey": "ice hockey",
    "sci.crypt": "cryptography and privacy",
    "sci.electronics": "electronics",
    "sci.med": "medicine and health",
    "sci.space": "space and astronomy",
    "soc.religion.christian": "Christianity",
    "talk.politics.guns": "guns and gun control",
    "talk.politics.mideast": "the Middle East",
    "talk.politics.misc": "politics",
    "talk.religion.misc": "religion",
}


@dataclass(frozen=True)
class TextSet:
    """Rows to label, and others whose label may be gold; columns ``text`` and the target."""

    name: str
    task: LabelTask
    rows: pl.DataFrame
    gold: pl.DataFrame


def load(name: str) -> TextSet | None:
    """Return a set, or None where its files are absent."""
    target = "sentiment" if name == "sst2" else "label"
    tables = _tables(name)
    if tables is None:
        return None
    rows, gold = tables
    described = {"agnews": NEWS, "news20": GROUPS}.get(name)
    if name == "r8":
        classes = reuters.TASK.classes
    else:
        names = sorted(described or {*rows["label"], *gold["label"]})
        words = described or dict.fromkeys(names, "")
        classes = tuple(ClassDescription(name=each, description=words[each]) for each in names)
    task = LabelTask(target=target, classes=classes, inputs=("text",))
    renamed = [each.select("text", pl.col("label").alias(target)) for each in (rows, gold)]
    return TextSet(name, task, *renamed)


def gold_of(data: TextSet) -> pl.DataFrame:
    """Return the rows that gold is drawn from: few, as each costs questions."""
    return data.gold.sample(POOL, shuffle=True, seed=0)


def draw_of(data: TextSet, seed: int, count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return one draw: the rows to label, and those that gold is taken from."""
    rows = data.rows.sample(min(count, data.rows.height), shuffle=True, seed=seed)
    return rows, gold_of(data).sample(POOL, shuffle=True, seed=seed)


def _tables(name: str) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    if name in ("r8", "news20"):
        stem = {"r8": "reuters-r8", "news20": "20newsgroups"}[name]
        parts = [reuters.read_tab(assets.fetch(f"{stem}-{part}")) for part in ("test", "train")]
        return parts[0].rename({"topic": "label"}), parts[1].rename({"topic": "label"})
    test, train = text_set(f"{name}_test"), text_set(f"{name}_train")
    if test is None:
        return None
    if name == "agnews":  # only its test split is at hand: half to label, half for gold
        mixed = test.sample(fraction=1.0, shuffle=True, seed=99)
        return mixed.head(mixed.height // 2), mixed.tail(mixed.height // 2)
    return None if train is None else (test, train)
