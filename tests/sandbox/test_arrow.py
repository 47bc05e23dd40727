"""The reader of Arrow takes what a sandbox sends, and no damage gets past it."""

from __future__ import annotations

import contextlib
import io
import struct

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from polars.testing.parametric import dataframes

from assay.sandbox.arrow import read_arrow
from assay.sandbox.flatbuffer import DamagedError

PLAIN = [
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64, pl.Boolean, pl.String),
]


def _stream(table: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    oldest = pl.CompatLevel.oldest()
    table.write_ipc_stream(file, compression="uncompressed", compat_level=oldest)
    return file.getvalue()


SAMPLE = _stream(
    pl.DataFrame(
        {
            "a": [1, None, 3],
            "s": ["x", None, "yy"],
            "b": [True, False, None],
            "d": pl.Series([1, 2, None], dtype=pl.Date),
            "t": pl.Series([1, 2, None], dtype=pl.Datetime("us")),
        }
    )
)


@given(dataframes(max_cols=4, max_size=20, allowed_dtypes=PLAIN, allow_chunks=False))
@settings(max_examples=50)
def test_a_table_is_read_as_it_was_written(table: pl.DataFrame) -> None:
    assert_frame_equal(read_arrow(_stream(table)), table)


@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=8))
@settings(max_examples=600)
def test_damage_is_an_error_or_a_table(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(SAMPLE)
    for place, value in changes:
        damaged[place] = value
    try:
        table = read_arrow(bytes(damaged))
    except ValueError:
        return
    repr(table)
    table.rows()


@given(st.integers(0, len(SAMPLE) - 9))
def test_a_cut_stream_is_an_error_or_has_no_rows(length: int) -> None:
    with contextlib.suppress(DamagedError):
        assert read_arrow(SAMPLE[:length]).is_empty()


@given(st.binary(max_size=200))
def test_noise_is_an_error(noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_arrow(noise)


def test_a_small_stream_cannot_claim_many_rows() -> None:
    honest, many = struct.pack("<q", 3), struct.pack("<q", 2**40)
    with pytest.raises(DamagedError):
        read_arrow(SAMPLE.replace(honest, many))
