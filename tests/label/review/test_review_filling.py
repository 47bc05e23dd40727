"""Rows to fill in a file, and the hands that filled them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_up_labelling import labelling

from assay.cli.label import _to_check
from assay.cli.review import _user
from assay.errors import InputError
from assay.label.review.filling import is_kept
from assay.label.review.opening import labelling_of
from assay.ledger import Ledger
from assay.tables import read_table


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def test_what_was_filled_in_is_never_written_over(ledger: Ledger, tmp_path: Path) -> None:
    run = labelling(ledger, n=80).run
    embeds = SimpleNamespace(embed=lambda _, texts: np.ones((len(texts), 2)))
    made: Any = SimpleNamespace(ledger=ledger, run=run, gateway=embeds)
    check, notes = tmp_path / "out.check.csv", list[str]()
    for _ in range(2):  # nothing is filled in yet
        assert _to_check(tmp_path / "out.csv", made, notes) == check
        assert read_table(check)["label"].null_count() == 60
    filled = read_table(check).with_columns(label=pl.lit("farm"))
    filled.write_csv(check)
    assert not notes
    assert _to_check(tmp_path / "out.csv", made, notes) == check
    assert read_table(check).equals(filled)
    assert "out.check.csv was left as it is" in notes[0]


def test_a_file_that_is_not_ours_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "out.check.csv"
    assert not is_kept(file, "label")
    for content, kept in (("", True), ("a,b\n1,2\n", True), ("a,label\n1,\n2,\n", False)):
        file.write_text(content)
        assert is_kept(file, "label") == kept


def test_a_file_of_rows_that_is_not_there_is_told(ledger: Ledger) -> None:
    labelling(ledger)
    with pytest.raises(InputError, match="no such file"):
        labelling_of(ledger, None, rows=Path("absent.csv"), classes=["a", "b"])


def test_a_user_without_a_name_is_told_how_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nobody)
    with pytest.raises(InputError, match="--reviewer NAME"):
        _user()
