"""Handing values in and out: tables as Arrow, everything else as JSON, nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class UnfitResultError(Exception):
    """A result is missing, or neither a table nor plain JSON."""


def taken_in(folder: str, inputs: dict[str, str]) -> dict[str, Any]:
    """Return the value of each input: its name to the kind of its file."""
    return {name: _read(Path(folder, f"{name}.{kind}"), kind) for name, kind in inputs.items()}


def handed_out(value: Any) -> tuple[str, bytes]:
    """Return the kind and the bytes of a result.

    Tables and columns of Polars or pandas become an Arrow stream; numbers, texts, lists, NumPy
    arrays and mappings of these become JSON.

    Raises
    ------
    UnfitResultError
        For everything else, and for figures that are not finite.
    """
    table = _as_table(value)
    if table is not None:
        return "arrow", _arrow(table)
    try:
        return "json", json.dumps(value, default=_plain, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UnfitResultError(f"It is neither a table nor plain JSON: {error}") from None


def send(out: int, name: str, kind: str, payload: bytes) -> None:
    """Write one result to the file descriptor ``out``: a line that announces it, its bytes."""
    head = json.dumps({"name": name, "kind": kind, "bytes": len(payload)}).encode() + b"\n"
    left = memoryview(head + payload)
    while left:
        left = left[os.write(out, left) :]


def _read(path: Path, kind: str) -> Any:
    if kind == "json":
        return json.loads(path.read_text(encoding="utf-8"))
    import polars as pl

    return pl.read_ipc_stream(path)


def _as_table(value: Any) -> Any:
    library = type(value).__module__.partition(".")[0]
    if library not in ("polars", "pandas"):
        return None
    import polars as pl

    if library == "pandas":
        value = _of_pandas(value)
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if isinstance(value, pl.Series):
        value = value.to_frame(value.name or "value")
    return value if isinstance(value, pl.DataFrame) else None


def _of_pandas(value: Any) -> Any:
    import polars as pl

    if not hasattr(value, "columns"):
        if not hasattr(value, "to_frame"):
            return value
        value = value.to_frame("value" if value.name is None else value.name)
    columns = {str(name): _column(value[name]) for name in value.columns}
    return pl.DataFrame(columns, strict=False)


def _column(column: Any) -> Any:
    """Return a pandas column as an array, absent values as None where it holds no numbers."""
    if column.dtype.kind in "biufM":
        return column.to_numpy()
    return [None if each is None or each != each else each for each in column.tolist()]


def _arrow(table: Any) -> bytes:
    import io

    import polars as pl
    import polars.selectors as cs

    table = table.with_columns(
        (cs.categorical() | cs.enum()).cast(pl.String), cs.decimal().cast(pl.Float64)
    )
    out = io.BytesIO()
    # The oldest layout: the reader outside knows plain buffers alone.
    oldest = pl.CompatLevel.oldest()
    table.rechunk().write_ipc_stream(out, compression="uncompressed", compat_level=oldest)
    return out.getvalue()


def _plain(value: Any) -> Any:
    if type(value).__module__.partition(".")[0] == "numpy":
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be handed out")
