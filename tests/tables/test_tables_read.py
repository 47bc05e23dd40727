"""Reading and writing real files of every format, and every way they can be wrong."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import AssayError, InputError
from assay.tables import read_table, write_table

TABLE = pl.DataFrame(
    {"text": ["plain", 'quo"ted, and more', "two\nlines", "naïve ☂"], "n": [1, 2, None, 4]}
)
ENDINGS = [".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather"]
File = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> File:
    def write(content: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_back_what_was_written(tmp_path: Path, ending: str, packed: str) -> None:
    path = tmp_path / f"data{ending}{packed}"
    write_table(TABLE, path)
    assert read_table(path).equals(TABLE)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1, max_size=30)


@given(rows=st.lists(texts.filter(str.strip), min_size=1, max_size=8))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_text_of_any_kind_survives(tmp_path: Path, ending: str, rows: list[str]) -> None:
    table = pl.DataFrame({"text": [f"x{each}" for each in rows]})
    write_table(table, tmp_path / f"data{ending}")
    assert read_table(tmp_path / f"data{ending}").equals(table)


def test_an_arrow_stream_is_read_too(tmp_path: Path) -> None:
    TABLE.write_ipc_stream(tmp_path / "data.arrow")
    assert read_table(tmp_path / "data.arrow").equals(TABLE)


def test_byte_order_mark_and_windows_lines(file: File) -> None:
    table = read_table(file(b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n"))
    assert table.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_another_encoding_is_read_when_named(file: File) -> None:
    path = file("a\ncafé\n".encode("cp1252"))
    assert read_table(path, encoding="cp1252")["a"].to_list() == ["café"]


def test_line_separators_inside_json_strings_are_text(file: File) -> None:
    path = file('{"a": "x\u2028y\u0085z"}\n', "data.jsonl")
    assert read_table(path)["a"].to_list() == ["x\u2028y\u0085z"]


def test_json_numbers_and_strings_in_one_column_become_strings(file: File) -> None:
    path = file('{"a": 1, "b": 1}\n{"a": "x", "b": 2.5}\n\n{"b": null}\n', "data.jsonl")
    table = read_table(path)
    assert table["a"].to_list() == ["1", "x", None]
    assert table["b"].to_list() == [1.0, 2.5, None]


def test_a_json_number_beyond_64_bits_is_not_lost(file: File) -> None:
    digits = "1" + "0" * 45
    table = read_table(file(f'{{"a": {digits}}}\n{{"a": 2}}\n', "data.jsonl"))
    assert table["a"].to_list() == [digits, "2"]


BAD = {
    "empty": ("data.csv", b"", "empty"),
    "blank": ("data.csv", b" \n\n ", "empty"),
    "header only": ("data.csv", b"a,b\n", "no rows"),
    "no json rows": ("data.jsonl", b"\n\n", "empty"),
    "long line": ("data.csv", b"a,b\n1,2\n3,4,5\n", "Line 3 of data.csv has 3 fields"),
    "short line": ("data.csv", b"a,b\n1,2\n\n3\n4,5\n", "Line 4 of data.csv has 1 fields"),
    "line after a text of two": ("data.csv", b'a,b\n"x\ny",2\n3\n', "Line 4"),
    "one name twice": ("data.csv", b"a,b,a\n1,2,3\n", "name 'a'"),
    "latin-1": ("data.csv", b"a\nok\ncaf\xe9\n", "line 3"),
    "latin-1 offset": ("data.csv", b"a\nok\ncaf\xe9\n", "0xe9 at offset 8"),
    "no json": ("data.jsonl", b'{"a": 1}\n{a: 2}\n', "Line 2"),
    "json but no object": ("data.jsonl", b"[1, 2]\n", "not an object"),
    "no parquet": ("data.parquet", b"PAR0", "parquet"),
    "no arrow": ("data.arrow", b"nothing", "arrow"),
    "no gzip": ("data.csv.gz", b"a\n1\n", "cannot be read"),
    "cut gzip": ("data.csv.gz", gzip.compress(b"a\n1\n" * 99)[:-9], "cannot be read"),
    "unknown format": ("data.xlsx", b"a", "format"),
    "no ending": ("data", b"a", "format"),
}


@pytest.mark.parametrize(("name", "content", "told"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_clear_error(file: File, name: str, content: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        read_table(file(content, name))


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="folder, not a file"):
        read_table(tmp_path / "folder.csv")


@pytest.mark.parametrize("encoding", ["nonsense", "base64", "rot13"])
def test_an_unknown_encoding_is_named(file: File, encoding: str) -> None:
    with pytest.raises(InputError, match=f"encoding.*{encoding}"):
        read_table(file("a\n1\n"), encoding=encoding)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.csv"
    write_table(TABLE, path)
    before = path.read_bytes()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(AssayError, match="No space left"):
        write_table(TABLE.head(1), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
