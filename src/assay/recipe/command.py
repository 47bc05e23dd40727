"""A model that is a program of the user's own: files in, files out.

The contract: the program is called twice, with a folder that it may keep its model in.

- ``PROGRAM fit FOLDER``: reads ``train.parquet``, the input columns as they are and the column
  ``target``: values, or the classes as codes from 0, in the order of ``assay.toml``. A class that
  the rows lack keeps its code.
- ``PROGRAM predict FOLDER``: reads ``rows.parquet``, the input columns alone, and writes
  ``predictions.parquet`` or ``predictions.csv``, in the order of the rows: one column
  ``prediction`` of values or codes, or one column for each code with its probability, named
  ``0``, ``1``, ...

An exit code other than 0 is a failure; the last line on standard error is told.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.errors import InputError, shorten
from assay.recipe.spec import Estimator
from assay.scratch import Scratch
from assay.task import Task

PREDICTIONS = ("predictions.parquet", "predictions.csv")


def command_estimator(command: str, task: Task) -> Estimator:
    """Return the estimator that runs ``command``, its words quoted as in a shell.

    Raises
    ------
    InputError
        When the quoting is unbalanced, or there is no word.
    """
    kind = "Regressor" if task.kind == "regression" else "Classifier"
    _words(command)
    return Estimator(path=f"{__name__}.Command{kind}", parameters={"command": command})


class _CommandModel:
    """Calls the program; see the module.

    Parameters
    ----------
    command
        The program and its first words.
    minutes
        The longest that one call may take.
    """

    reads_table = True

    def __init__(self, command: str, minutes: float = 60.0) -> None:
        self.command = command
        self.minutes = minutes

    def fit(self, table: Any, targets: np.ndarray) -> _CommandModel:
        """Have the program learn from (n, d) columns and (n,) targets."""
        self._home = Scratch("command")
        rows = pl.DataFrame(table).with_columns(pl.Series("target", targets))
        rows.write_parquet(self._home.path / "train.parquet")
        self._call("fit")
        return self

    def _found(self, table: Any) -> pl.DataFrame:
        folder, rows = self._home.path, pl.DataFrame(table)
        for name in PREDICTIONS:
            (folder / name).unlink(missing_ok=True)
        rows.write_parquet(folder / "rows.parquet")
        self._call("predict")
        found = _read(folder)
        if found.height != rows.height:
            raise InputError(
                "The training program must predict every row.",
                given=f"{found.height:,} predictions for {rows.height:,} rows",
            )
        return found

    def _call(self, verb: str) -> None:
        words = [*_words(self.command), verb, str(self._home.path)]
        try:
            ended = subprocess.run(  # noqa: S603 - the user's own program
                words, capture_output=True, text=True, timeout=60 * self.minutes, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(
                f"The training program could not {verb}: {error}.",
                given=self.command,
                next_step="run it by hand with the same words",
            ) from error
        if ended.returncode != 0:
            lines = ended.stderr.strip().splitlines() or ["it said nothing"]
            raise InputError(
                f"The training program failed to {verb}, exit code {ended.returncode}: "
                f"{shorten(lines[-1])}.",
                given=self.command,
            )


class CommandRegressor(_CommandModel):
    """A program that predicts values."""

    def predict(self, table: Any) -> np.ndarray:
        """Return (n,) values."""
        found = _column(self._found(table), "prediction")
        return np.asarray(found.cast(pl.Float64).to_numpy())


class CommandClassifier(_CommandModel):
    """A program that predicts codes of classes, or their probabilities."""

    reads_codes = True

    def fit(
        self, table: Any, targets: np.ndarray, codes: np.ndarray | None = None
    ) -> CommandClassifier:
        """Have the program learn; ``codes`` are the program's for targets 0, 1, ..., ascending."""
        self._codes = np.unique(targets) if codes is None else codes
        super().fit(table, self._codes[targets])
        return self

    def predict(self, table: Any) -> np.ndarray:
        """Return (n,) targets."""
        return np.asarray(self.predict_proba(table).argmax(axis=1))

    def predict_proba(self, table: Any) -> np.ndarray:
        """Return (n, c) probabilities; of a program that predicts codes, all on the code."""
        found = self._found(table)
        names = [str(code) for code in self._codes]
        if "prediction" not in found.columns:
            others = [each for each in found.columns if each.isdecimal() and each not in names]
            shares = [_column(found, name).cast(pl.Float64).to_numpy() for name in names]
            beyond = [found[name].cast(pl.Float64).to_numpy() for name in others]
            shown = 1 - np.sum(beyond, axis=0)  # what it leaves to classes that it was shown
            return np.column_stack(shares) / np.reshape(shown, (-1, 1))
        codes = found["prediction"].cast(pl.Int64).to_numpy()
        unknown = codes[~np.isin(codes, self._codes)]
        if len(unknown):
            raise InputError(
                "The training program predicted a code that is no class it was shown.",
                given=int(unknown[0]),
                allowed=", ".join(names),
            )
        return np.asarray(np.eye(len(self._codes))[np.searchsorted(self._codes, codes)])


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"The command cannot be read: {error}.", given=command) from error
    if not words:
        raise InputError("The command is empty.", next_step="name your training program")
    return words


def _read(folder: Path) -> pl.DataFrame:
    table, text = (folder / name for name in PREDICTIONS)
    if table.is_file():
        return pl.read_parquet(table)
    if text.is_file():
        return pl.read_csv(text)
    raise InputError("The training program wrote no predictions.", allowed=" or ".join(PREDICTIONS))


def _column(found: pl.DataFrame, name: str) -> pl.Series:
    if name not in found.columns:
        raise InputError(
            f"The training program's predictions have no column {name!r}.",
            given=", ".join(found.columns[:20]),
        )
    return found[name]
