from __future__ import annotations

import numpy as np
import polars as pl

from assay.diagnose import diagnose
from assay.diagnose.report import as_sarif, render_html

EVIL = "<script>alert(1)</script>"


def test_names_and_rows_are_never_markup_and_what_was_not_found_is_listed() -> None:
    random = np.random.default_rng(0)
    kind = random.choice([EVIL, "plain"], 800)
    truth = random.choice(["a", "b"], 800)
    wrong = random.random(800) < np.where(kind == EVIL, 0.5, 0.05)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    rows = pl.DataFrame({"kind": kind, "y": truth}).with_columns(
        row_id=pl.int_range(800).cast(pl.String)
    )
    found = diagnose(rows, truth="y", predictions=said)
    assert found.findings[0].code == "AS101"
    page = render_html(found, name=EVIL, rows=rows)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "the training rows are not known" in page
    log = as_sarif(found, subject="predicted.csv", version="0")
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["results"]) == len(found.findings)
    assert {each["id"] for each in log["runs"][0]["tool"]["driver"]["rules"]} == {
        each.code for each in found.findings
    }


def test_a_page_without_findings_says_so() -> None:
    rows = pl.DataFrame({"x": [0.5, 1.5, 2.5] * 20, "y": ["a", "b"] * 30})
    found = diagnose(rows, truth="y", predictions=rows["y"].to_numpy())
    assert "Nothing was confirmed" in render_html(found, name="all right")
