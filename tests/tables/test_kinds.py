"""What a column holds, as everyone reads it."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from assay.tables import column_kind
from assay.tables.kinds import MOST_CATEGORIES

SENTENCES = [f"order number {n} came too late" for n in range(60)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.5, None, 2.0], "number"),
        ([date(2025, 1, 1), None], "date"),
        (["2025-01-31", "2025-02-28 10:15", None], "date"),
        (["31/01/2025", "28/02/2025"], "date"),
        (["2025-01-31", "soon"], "category"),
        (["red", "blue"] * 30, "category"),
        ([True, False], "category"),
        ([f"city {n % MOST_CATEGORIES}" for n in range(400)], "category"),
        ([f"city {n}" for n in range(MOST_CATEGORIES + 1)], "many categories"),
        (SENTENCES, "text"),
        (["late again, no answer", "all of it works", "so far so good"], "text"),
        (["paid in full", "not yet paid", "will never pay"] * 50, "category"),
        ([None, None], "category"),
    ],
)
def test_a_column_is_read_as(values: list[Any], kind: str) -> None:
    assert column_kind(pl.Series("seen", values, strict=False)) == kind


def test_words_of_an_enumeration_are_read_as_words() -> None:
    column = pl.Series("seen", SENTENCES)
    assert column_kind(column.cast(pl.Categorical)) == "text"


def test_where_skrub_changes_its_encoder_the_kind_changes() -> None:
    import inspect

    skrub = pytest.importorskip("skrub")
    found = inspect.signature(skrub.TableVectorizer).parameters["cardinality_threshold"].default
    assert found == MOST_CATEGORIES
