"""Portions of a file are, put together, the whole file as it is read at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.tables import portions as reading
from assay.tables import read_table, write_table
from assay.tables.portions import Portions

WORDS = st.one_of(
    st.none(),
    st.sampled_from(
        ["1", "2.5", "true", "2024-05-31", 'quo"ted, and', "two\nlines", "☂", "x\r\ny"]
    ),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=6),
)
ENDINGS = (".csv", ".tsv.gz", ".jsonl", ".jsonl.gz", ".parquet")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(WORDS, st.one_of(st.none(), st.integers(-5, 5))), min_size=1, max_size=30
    ),
    size=st.integers(1, 12),
    block=st.sampled_from([16, 100, 2**22]),
    ending=st.sampled_from(ENDINGS),
)
def test_portions_make_the_whole(
    rows: list[tuple[str | None, int | None]], size: int, block: int, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / f"data{ending}"
    table = pl.DataFrame(rows, schema={"words": pl.String, "number": pl.Int64}, orient="row")
    write_table(table, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        parts = list(Portions(path, size))
    assert {part.height for part in parts[:-1]} <= {size}
    assert pl.concat(parts).equals(read_table(path))
    assert len({tuple(part.schema.items()) for part in parts}) == 1


def test_a_type_that_only_a_late_row_shows_holds_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("n,day,all\n" + "1,2024-05-31,\n" * 30 + "2.5,soon,\n")
    first = next(iter(Portions(path, 7)))
    assert first.schema == {"n": pl.Float64, "day": pl.String, "all": pl.String}
    lines = tmp_path / "late.jsonl"
    lines.write_text('{"a": 1}\n' * 9 + '{"a": "x", "b": [1]}\n')
    parts = list(Portions(lines, 4))
    assert parts[0].schema == {"a": pl.String, "b": pl.String}
    assert parts[-1]["b"].to_list() == [None, "[1]"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Portions(tmp_path / "absent.csv", 5)
    for name, data, part in (
        ("a.csv", b"a,b\n1,2\n1\n", "fields"),
        ("b.csv", b"a\n\xff\xfe\n", "utf-8"),
        ("c.jsonl", b"{\n", "not JSON"),
        ("d.jsonl", b"[1]\n", "not an object"),
        ("e.parquet", b"nonsense", "parquet"),
        ("f.csv.gz", gzip.compress(b"a\n1\n")[:-6], "cannot be read"),
        ("g.arrow", b"x", "portions"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=part):
            list(Portions(tmp_path / name, 5))
