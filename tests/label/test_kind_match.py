from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.label.match import PairMatch
from assay.label.match.likeness import likeness
from assay.label.task import LabelTask
from assay.llm import Prompt
from labelled import labelling, scripted_topics
from newsroom import WORDS

TASK = LabelTask(kind="match", left=("name", "year"), right=("other_name", "other_year"))
VOCABULARY = [word for words in WORDS.values() for word in words]


def pairs(rows: int, seed: int) -> pl.DataFrame:
    """Names of three words and a year; a match has a word or the order changed."""
    random = np.random.default_rng(seed)
    out = []
    for _ in range(rows):
        words = random.choice(VOCABULARY, 3, replace=False).tolist()
        year, same = int(random.integers(1950, 2020)), bool(random.random() < 0.4)
        other = (
            random.permutation(words).tolist() if same else random.choice(VOCABULARY, 3).tolist()
        )
        if same and random.random() < 0.5:
            other[0] = other[0][:-1]
        elsewhen = year if same else int(random.integers(1950, 2020))
        out.append((" ".join(words), year, " ".join(other).upper(), elsewhen, same))
    names = ["name", "year", "other_name", "other_year", "label"]
    return pl.DataFrame(out, schema=names, orient="row")


def swapped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.rename(
        {"name": "other_name", "other_name": "name", "year": "other_year", "other_year": "year"}
    )


def scripted_reader(prompt: Prompt, options: Sequence[str]) -> list[float]:
    """Lean towards yes, and more so where the first record is long: not a fair judge."""
    first, _, second = prompt.text.partition("Second record")
    shared = set(first.lower().split()) & set(second.lower().split())
    yes = min(0.9, 0.4 + 0.1 * len(shared) + 0.001 * len(first))
    return [yes, 1 - yes]


def test_pairs_are_matched_with_a_guarantee(tmp_path: Path) -> None:
    rows = pairs(150, 1)
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        result = label(rows.drop("label"), TASK, pairs(120, 2), precision=0.9)
    found = result.table["label"]
    truth = pl.Series(["match" if same else "different" for same in rows["label"]])
    assert (found == truth).mean() > 0.95
    assert result.coverage > 0.7
    assert result.task.class_names == ("different", "match")


def test_without_gold_the_likest_pairs_match(tmp_path: Path) -> None:
    rows = pairs(150, 1)
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        found = label(rows.drop("label"), TASK).table["label"]
    truth = pl.Series(["match" if same else "different" for same in rows["label"]])
    assert (found == truth).mean() > 0.9


def test_swapping_the_sides_changes_nothing(tmp_path: Path) -> None:
    rows, gold = pairs(40, 1).drop("label"), pairs(60, 2)
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        one = label(rows, TASK, gold)
        other = label(swapped(rows), TASK, gold)
        turned = label(rows, TASK, swapped(gold))
    for each in (other, turned):
        np.testing.assert_array_equal(one.answers.probability, each.answers.probability)
        assert one.answers.labels == each.answers.labels


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_a_share(left: str, right: str) -> None:
    found = likeness(left, right)
    np.testing.assert_array_equal(found, likeness(right, left))
    assert ((found >= 0) & (found <= 1)).all()


def test_numbers_and_accents_are_seen_through() -> None:
    same = likeness("Café Müller, 1,200 seats, 2024-05-31", "cafe muller 1200 seats 31/05/2024")
    assert same[3] > 0.5
    assert likeness("built 1999", "built 2001")[3] == 0


def test_labels_of_pairs_are_understood() -> None:
    check = PairMatch().check
    assert [check(each, TASK) for each in (True, 1, 1.0, "yes", " Match ")] == ["match"] * 5
    assert [check(each, TASK) for each in (False, 0, "no", "different")] == ["different"] * 4
    with pytest.raises(InputError, match="none of the classes"):
        check("maybe", TASK)


def test_a_pair_needs_both_sides(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="both sides"):
        LabelTask(kind="match", left=("name",))
    rows = pairs(30, 1).drop("label").with_columns(
        other_name=pl.lit(""), other_year=pl.lit(None, pl.Int64)
    )  # fmt: skip
    some = pl.concat([pairs(30, 2).drop("label"), rows.head(1)])
    with labelling(tmp_path, scripted_topics(scripted_reader)) as label:
        table = label(some, TASK).table
    assert table["status"][30] == "failed"
    assert table["why"][30] == "the text is empty"
