"""One program to run: its request on disk, and where Python and its libraries lie."""

from __future__ import annotations

import json
import keyword
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from assay.errors import InputError
from assay.sandbox.spec import Limits, Value

INSIDE = Path(__file__).parent / "inside"
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from inside.start import main;"
    " sys.path.pop(0); main(sys.argv[2])"
)
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"),
    *("/usr/share/zoneinfo", "/etc/ld.so.cache"),
)
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Job:
    """A program and what it was given, as files.

    Attributes
    ----------
    home
        Holds ``given`` (the inputs and the request) and ``scratch`` (the program's folder).
    out
        File descriptor that results are written to.
    """

    home: Path
    program: str
    inputs: Mapping[str, str]
    outputs: Sequence[str]
    limits: Limits
    out: int

    @property
    def given(self) -> Path:
        """The folder that the program may read."""
        return self.home / "given"

    @property
    def scratch(self) -> Path:
        """The folder that the program may write, where it is given one of this machine."""
        return self.home / "scratch"

    def write_request(self, **further: Any) -> None:
        """Write all that the inside needs to know; ``further`` is what the sandbox adds."""
        request = {
            "program": self.program,
            "inputs": dict(self.inputs),
            "outputs": list(self.outputs),
            "limits": asdict(self.limits),
            "out": self.out,
            "libraries": list(libraries()),
        }
        text = json.dumps(request | further)
        (self.given / "request.json").write_text(text, encoding="utf-8")


def start_command(request: str) -> list[str]:
    """Return the command that starts a request, given its path as the inside sees it.

    Neither the user's library folder nor the current one is searched for modules.
    """
    flags = ("-P", "-s", "-S", "-B")
    return [os.path.realpath(sys.executable), *flags, "-c", _START, str(INSIDE.parent), request]


def environment(folder: str) -> dict[str, str]:
    """Return the whole environment of a program: nothing of the user's."""
    return {
        "HOME": folder,
        "TMPDIR": folder,
        "PATH": "",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUTF8": "1",
        "PYTHONHASHSEED": "0",
        "MALLOC_ARENA_MAX": "2",
        "JOBLIB_MULTIPROCESSING": "0",
        "LOKY_MAX_CPU_COUNT": "1",
        **dict.fromkeys(_ONE_THREAD, "1"),
    }


@cache
def libraries() -> tuple[str, ...]:
    """Return the folders that Python's installed libraries lie in."""
    paths = sysconfig.get_paths()
    polars = find_spec("polars")
    found = [paths["purelib"], paths["platlib"]]
    if polars is not None and polars.origin is not None:
        found.append(str(Path(polars.origin).parents[1]))
    return _once(found)


@cache
def readable() -> tuple[str, ...]:
    """Return what a program needs of this machine: Python, its libraries, the system's."""
    paths = sysconfig.get_paths()
    python = [os.path.realpath(sys.executable), str(Path(sys.base_prefix) / "lib")]
    stdlib = [paths["stdlib"], paths["platstdlib"]]
    return _once([*_SYSTEM, *python, *stdlib, *libraries(), str(INSIDE)])


def write_inputs(folder: Path, inputs: Mapping[str, Value]) -> dict[str, str]:
    """Write each input to a file; return the kind of each, ``arrow`` or ``json``.

    Raises
    ------
    InputError
        When a name is no Python name, or a value neither a table nor JSON.
    """
    return {check_name(name): _write(folder, name, value) for name, value in inputs.items()}


def check_name(name: str) -> str:
    """Return the name of an input or output.

    Raises
    ------
    InputError
        When it is no name that a Python program can use.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        raise InputError("Inputs and outputs need Python names.", given=name)
    return name


def _write(folder: Path, name: str, value: Value) -> str:
    kind = "arrow" if isinstance(value, pl.DataFrame) else "json"
    path = folder / f"{name}.{kind}"
    try:
        if isinstance(value, pl.DataFrame):
            value.write_ipc_stream(path, compression="uncompressed")
        else:
            path.write_text(json.dumps(value), encoding="utf-8")
    except (TypeError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"Input `{name}` cannot be handed in: {error}.",
            given=type(value).__name__,
            allowed="a Polars table, or what JSON can hold",
        ) from error
    return kind


def _once(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path in paths if Path(path).exists()))
