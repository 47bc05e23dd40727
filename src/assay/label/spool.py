"""Spool: the rows of a file in numbered pieces on disk, so that a stopped labelling goes on."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from assay.config import write_text, writing
from assay.errors import InputError
from assay.label.copies import Original, copies_of
from assay.label.kinds import Fitted
from assay.label.rows import Rows, read_rows
from assay.label.run import readable
from assay.label.sample import Sample
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.tables.portions import Portions
from assay.tables.rows import ROW_ID, set_apart, with_row_ids


@dataclass(frozen=True)
class Contents:
    """What a spool holds.

    Attributes
    ----------
    rows, pieces, copies
        How many.
    task
        With the columns that it reads filled in.
    """

    rows: int
    pieces: int
    copies: int
    task: LabelTask


class Spool:
    """A folder with pieces of the input, the sample to fit on, and the parts of the output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(
        self, portions: Portions, task: LabelTask, settings: LabelSettings, gold_ids: Sequence[str]
    ) -> Contents:
        """Read the input once, unless that was done; return what there is.

        Parameters
        ----------
        gold_ids
            Ids of rows that are kept apart: gold names them by id alone.
        """
        known = self._known()
        if known is not None:
            return known
        self.folder.mkdir(parents=True, exist_ok=True)
        copies, sample = copies_of(task, settings), Sample(settings.fit_rows, settings.seed)
        total = number = copied = unread = 0
        named: list[pl.DataFrame] = []
        hashes: list[pl.Series] = []
        for number, piece in enumerate(portions, start=1):
            table = numbered(piece, total)
            rows, task = read_rows(table, task, portion=True)
            unread += len(rows.why)
            ids = rows.table[ROW_ID]
            originals = copies.originals(ids.to_list(), rows.texts)
            sample.add(readable(originals, rows.unfit))
            named.append(set_apart(rows.table.filter(ids.is_in(list(gold_ids)))))
            hashes.append(ids.hash())
            _write(table, self.piece(number - 1))
            _write(_asked(originals), self._asked(number - 1))
            total += table.height
            copied += sum(each.row_id is not None for each in originals)
        if not number:
            raise InputError("The file has no rows.", given=portions.path.name)
        if unread == total:
            raise InputError("No row holds a text.", given=f"columns {', '.join(task.inputs)}")
        _refuse_repeated(hashes)
        _write(pl.DataFrame({"text": sample.texts}), self.folder / "sample.parquet")
        _write(pl.concat(named), self.folder / "named.parquet")
        found = Contents(total, number, copied, task)
        plain = {"rows": total, "pieces": number, "copies": copied, "task": task.model_dump()}
        write_text(self.folder / "contents.json", json.dumps(plain))
        return found

    def piece(self, number: int) -> Path:
        """Return where a piece of the input is."""
        return self.folder / f"piece-{number:06}.parquet"

    def part(self, number: int, *, whole: bool = True) -> Path:
        """Return where a part of the output is; one with unanswered rows is not whole."""
        return self.folder / f"part-{number:06}{'' if whole else '.open'}.parquet"

    def sample(self) -> list[str]:
        """Return the texts to fit on."""
        texts: list[str] = pl.read_parquet(self.folder / "sample.parquet")["text"].to_list()
        return texts

    def named(self) -> pl.DataFrame:
        """Return the rows that gold names by id."""
        return pl.read_parquet(self.folder / "named.parquet")

    def rows(self, number: int, task: LabelTask) -> tuple[pl.DataFrame, Rows, list[Original]]:
        """Return a piece: the user's table, its rows, and what each is asked with."""
        table = pl.read_parquet(self.piece(number))
        rows, _ = read_rows(table, task, portion=True)
        asked = pl.read_parquet(self._asked(number))
        return table, rows, [Original(*row) for row in asked.iter_rows()]

    def fitted(self) -> Fitted | None:
        """Return the annotators that an interrupted labelling had fitted already."""
        path = self.folder / "fitted.pickle"
        if not path.is_file():
            return None
        found: Fitted = pickle.loads(path.read_bytes())  # noqa: S301 - our own private folder
        return found

    def keep(self, fitted: Fitted) -> None:
        """Keep the annotators for a labelling that goes on after an interruption."""
        with writing(self.folder / "fitted.pickle", private=True) as aside:
            aside.write_bytes(pickle.dumps(fitted))

    def forget_parts(self) -> None:
        """Remove the parts of an interrupted labelling whose annotators were not kept."""
        for path in self.folder.glob("part-*.parquet"):
            path.unlink()

    def write_part(self, number: int, found: pl.DataFrame) -> None:
        """Write a part of the output."""
        _write(found, self.part(number, whole=not (found["status"] == "failed").any()))

    def write_answers(self, number: int, answers: pl.DataFrame) -> None:
        """Write all that was answered of a piece; before its part, which says that it is done."""
        _write(answers, self._answers(number))

    def read_answers(self, number: int) -> pl.DataFrame:
        """Return all that was answered of a piece."""
        return pl.read_parquet(self._answers(number))

    def read_part(self, number: int) -> pl.DataFrame:
        """Return a part of the output."""
        whole = self.part(number)
        return pl.read_parquet(whole if whole.is_file() else self.part(number, whole=False))

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _asked(self, number: int) -> Path:
        return self.folder / f"asked-{number:06}.parquet"

    def _answers(self, number: int) -> Path:
        return self.folder / f"answers-{number:06}.parquet"

    def _known(self) -> Contents | None:
        path = self.folder / "contents.json"
        if not path.is_file():
            return None
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Contents(**plain | {"task": LabelTask.model_validate(plain["task"])})


def numbered(table: pl.DataFrame, start: int) -> pl.DataFrame:
    """Return a portion with row ids: its own, or its places in the whole file."""
    if ROW_ID in table.columns:
        return with_row_ids(table)
    return table.with_row_index(ROW_ID, offset=start).with_columns(pl.col(ROW_ID).cast(pl.String))


def fingerprint_of(path: Path, *what: Any) -> str:
    """Return 16 hexadecimal digits of a file's bytes and of what is done with them."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256")
    content.update("\x1f".join(map(str, what)).encode())
    return content.hexdigest()[:16]


def _asked(originals: Sequence[Original]) -> pl.DataFrame:
    columns = {
        "text": [each.text for each in originals],
        "row_id": [each.row_id for each in originals],
    }
    return pl.DataFrame(columns, schema={"text": pl.String, "row_id": pl.String})


def _write(table: pl.DataFrame, path: Path) -> None:
    with writing(path) as aside:
        table.write_parquet(aside)


def _refuse_repeated(hashes: Sequence[pl.Series]) -> None:
    found = pl.concat(hashes)
    if found.n_unique() < found.len():
        raise InputError(
            "The column row_id does not tell the rows apart.",
            next_step="make it unique, or rename it so that rows are numbered",
        )
