"""Any kind of table comes in through one door, and its content has one name."""

from __future__ import annotations

import datetime as dt
import decimal
from collections import UserDict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assay.errors import InputError
from assay.tables import fingerprint, to_polars, with_clean_target, with_row_ids, with_times

COLUMNS = {"text": ["a", "b"], "n": [1, 2]}
TABLE = pl.DataFrame(COLUMNS)


class HubDataset:
    """Has the one method of a Hugging Face ``Dataset`` that is called."""

    def to_polars(self) -> pl.DataFrame:
        return TABLE


def _kinds() -> dict[str, Any]:
    pandas = pytest.importorskip("pandas")
    arrow = pytest.importorskip("pyarrow")
    return {
        "polars": TABLE,
        "lazy": TABLE.lazy(),
        "pandas": pandas.DataFrame(COLUMNS, index=[7, 9]),
        "arrow": arrow.table(COLUMNS),
        "hub": HubDataset(),
        "columns": COLUMNS,
        "mapping": UserDict(COLUMNS),
        "records": [{"text": "a", "n": 1}, {"text": "b", "n": 2}],
    }


def test_every_kind_of_table_comes_in(tmp_path: Path) -> None:
    for kind, table in _kinds().items():
        assert to_polars(table).equals(TABLE), kind
    TABLE.write_csv(tmp_path / "data.csv")
    assert to_polars(tmp_path / "data.csv").equals(TABLE)
    assert to_polars(str(tmp_path / "data.csv")).equals(TABLE)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (7, "no table.*int"),
        (None, "no table.*NoneType"),
        ({"a": [1, 2], "b": [1]}, "cannot be used"),
        ({"a": [1, "x"]}, "cannot be used"),
        ({"a": [object(), object()]}, "holds Python objects.*object"),
    ],
)
def test_what_is_no_table_is_told_so(table: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        to_polars(table)


EXOTIC = pl.DataFrame(
    {
        "b": [b"x"],
        "c": pl.Series(["a"], dtype=pl.Categorical),
        "d": [decimal.Decimal("1.50")],
        "f": [float("nan")],
        "i": pl.Series([2**100], dtype=pl.Int128),
        "l": [[1, 2]],
        "s": [{"x": 1}],
        "t": [dt.time(1, 2)],
        "u": [dt.timedelta(seconds=1)],
    }
)


def test_fingerprint_names_the_content_and_not_its_layout() -> None:
    table = pl.concat([TABLE, TABLE.with_columns(pl.col("n") + 9)], rechunk=False)
    name = fingerprint(table)
    assert len(name) == 16
    assert fingerprint(table.rechunk()) == name
    assert fingerprint(table.select("n", "text")) == name
    assert fingerprint(table.reverse()) != name
    assert fingerprint(table.with_columns(pl.col("n").cast(pl.Int32))) != name
    assert fingerprint(table.rename({"n": "m"})) != name


@pytest.mark.parametrize("column", EXOTIC.columns)
def test_fingerprint_sees_a_change_in_a_column_of_any_type(column: str) -> None:
    changed = EXOTIC.with_columns(pl.lit(None, dtype=EXOTIC[column].dtype).alias(column))
    assert fingerprint(changed) != fingerprint(EXOTIC)


def test_rows_are_numbered_unless_they_have_ids() -> None:
    assert with_row_ids(TABLE)["row_id"].to_list() == ["0", "1"]
    named = TABLE.with_columns(row_id=pl.Series([70, 80]))
    assert with_row_ids(named)["row_id"].to_list() == ["70", "80"]
    assert with_row_ids(named).columns == ["row_id", "text", "n"]


@pytest.mark.parametrize(
    ("ids", "told"),
    [(["a", "a"], "'a' more than once"), (["a", None], "empty id"), ([1.5, 2.5], "Float64")],
)
def test_ids_that_do_not_tell_rows_apart_are_refused(ids: list[object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        with_row_ids(TABLE.with_columns(row_id=pl.Series(ids)))


def test_blank_and_missing_targets_are_no_labels() -> None:
    words = with_clean_target(pl.DataFrame({"y": [" a ", "", "  ", None]}), "y")
    assert words["y"].to_list() == ["a", None, None, None]
    numbers = with_clean_target(pl.DataFrame({"y": [1.0, float("nan")]}), "y")
    assert numbers["y"].to_list() == [1.0, None]


@pytest.mark.parametrize(
    ("values", "told"),
    [([1.0, float("inf")], "infinite.*row 2"), ([[1]], "List"), ([b"a"], "Binary")],
)
def test_a_target_of_no_use_is_refused(values: list[object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        with_clean_target(pl.DataFrame({"y": values}), "y")


def test_written_dates_become_times_and_words_are_refused() -> None:
    table = pl.DataFrame({"when": ["2024-05-31", "2024-06-01"], "n": [1, 2]})
    assert with_times(table, "when")["when"].to_list() == [
        dt.datetime(2024, 5, 31),
        dt.datetime(2024, 6, 1),
    ]
    assert with_times(table, "n").equals(table)
    with pytest.raises(InputError, match=r"cannot be ordered.*soon"):
        with_times(pl.DataFrame({"when": ["2024-05-31", "soon"]}), "when")
    with pytest.raises(InputError, match="cannot be ordered"):
        with_times(pl.DataFrame({"when": [True, False]}), "when")


def test_a_pandas_column_of_mixed_types_is_named() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"plain": [1, 2], "mixed": ["a", 3]})
    with pytest.raises(InputError, match=r"'mixed' cannot be read.*Given: int, str\."):
        to_polars(table)
