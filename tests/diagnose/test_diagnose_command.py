"""``assay diagnose`` on a file: why, what is written, and what is hidden in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from assay.cli.app import app
from assay.cli.diagnose_command import FROZEN, with_file
from assay.diagnose import diagnose
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.report import freezable, hidden, render_html
from assay.errors import InputError
from assay.llm.privacy.redaction import Redactor

ADDRESS = "someone@example.com"


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave names of people to the tests of redaction: loading what finds them takes long."""
    monkeypatch.setattr(
        "assay.diagnose.report.sharing._redactor", lambda patterns: Redactor(patterns, names=False)
    )


def told_wrong(n: int = 800) -> pl.DataFrame:
    """Rows that are told wrong where the contact is one address."""
    random = np.random.default_rng(0)
    contact = random.choice([ADDRESS, "none", "by phone"], n)
    truth = random.choice(["a", "b"], n)
    wrong = random.random(n) < np.where(contact == ADDRESS, 0.6, 0.05)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    x = random.normal(size=n).round(3)
    return pl.DataFrame({"contact": contact, "x": x, "y": truth, "prediction": said})


def test_a_bare_freeze_has_the_usual_file() -> None:
    assert with_file(["--freeze"]) == ["--freeze", FROZEN]
    assert with_file(["--freeze", "--json"]) == ["--freeze", FROZEN, "--json"]
    assert with_file(["--freeze", "t.py", "--json"]) == ["--freeze", "t.py", "--json"]


def test_why_is_told_everywhere_and_identifiers_are_hidden_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    only_slices = lambda: [SliceDetector()]  # noqa: E731
    monkeypatch.setattr("assay.diagnose.detectors.registered_detectors", only_slices)
    told_wrong().write_csv("said.csv")
    run, words = CliRunner(), ["diagnose", "--predictions", "said.csv", "--truth", "y"]
    words += ["--explain", "local:smollm2-135m"]
    files = ["--html", "d.html", "--markdown", "d.md", "--sarif", "d.sarif"]
    plain = run.invoke(app, [*words, *files, "--freeze"])
    assert plain.exit_code == 0, plain.output
    assert "why: contact" in plain.stdout
    assert Path(FROZEN).is_file()
    assert Path(FROZEN).with_suffix(".json").is_file()
    for name in ("d.html", "d.md"):
        page = Path(name).read_text()
        assert "the model fails on rows of which all of this holds" in page
        assert "someone" in page
    redacted = run.invoke(app, [*words, *files, "--redact", "--json"])
    assert redacted.exit_code == 0, redacted.output
    assert json.loads(redacted.stdout)["explained"]["hypotheses"][0]["kept"]
    for text in (redacted.stdout, *(Path(name).read_text() for name in files[1::2])):
        assert "someone" not in text
        assert "EMAIL" in text


def test_the_kind_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    only_slices = lambda: [SliceDetector()]  # noqa: E731
    monkeypatch.setattr("assay.diagnose.detectors.registered_detectors", only_slices)
    random = np.random.default_rng(0)
    rows = {"x": random.normal(size=300), "y": random.integers(1, 6, 300)}
    pl.DataFrame(rows | {"prediction": random.integers(1, 6, 300)}).write_csv("said.csv")
    run, words = CliRunner(), ["diagnose", "--predictions", "said.csv", "--truth", "y", "--json"]
    losses = [
        json.loads(run.invoke(app, [*words, *more]).stdout)["loss"]
        for more in ([], ["--kind", "regression"], ["--kind", "multiclass"])
    ]
    assert losses == ["error (1 where wrong)", "absolute error", "error (1 where wrong)"]
    assert isinstance(run.invoke(app, [*words, "--kind", "ranking"]).exception, InputError)


def test_cells_of_the_rows_that_are_shown_are_hidden_too() -> None:
    rows = told_wrong().with_row_index("row_id").cast({"row_id": pl.String})
    found = diagnose(rows, truth="y", detectors=[SliceDetector()])
    shared, shown = hidden(found, rows, {"PHONE": "by phone"})
    assert shown is not None
    page = render_html(shared, name="x", rows=shown)
    assert "someone" not in page
    assert "costliest first" in page
    assert shared.findings[0].row_ids == found.findings[0].row_ids


def test_a_number_that_names_someone_is_hidden_however_it_is_stored() -> None:
    card = 4111111111111111
    rows = told_wrong().with_row_index("row_id").cast({"row_id": pl.String})
    found = diagnose(rows, truth="y", detectors=[SliceDetector()])
    for kind in (pl.Int64, pl.Float64, pl.String):
        _, shown = hidden(found, rows.with_columns(card=pl.lit(card).cast(kind)), {})
        assert shown is not None
        assert set(shown["card"]) == {"<CARD_1>"}
        assert set(shown["y"]) <= {"a", "b"}


def test_the_page_of_a_file_shows_the_costliest_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    only_slices = lambda: [SliceDetector()]  # noqa: E731
    monkeypatch.setattr("assay.diagnose.detectors.registered_detectors", only_slices)
    told_wrong().write_csv("said.csv")
    words = ["diagnose", "--predictions", "said.csv", "--truth", "y", "--html", "d.html"]
    for redact, shown in (([], True), (["--redact"], False)):
        run = CliRunner().invoke(app, [*words, *redact])
        assert run.exit_code == 0, run.output
        page = Path("d.html").read_text()
        assert "costliest first" in page
        assert (ADDRESS in page) == shown


def test_a_finding_whose_rows_an_identifier_picks_is_not_frozen() -> None:
    rows = told_wrong().with_row_index("row_id").cast({"row_id": pl.String})
    found = diagnose(rows, truth="y", detectors=[SliceDetector()])
    named = hidden(found, None, {})[0]
    assert ADDRESS in found.to_json()
    assert freezable(found, named).findings == ()
    masked = replace(found, findings=(replace(found.findings[0], about=("<email_1>",)),))
    alone = replace(found, findings=found.findings[:1])
    assert freezable(alone, masked).findings == ()
    assert freezable(found, found) == found
