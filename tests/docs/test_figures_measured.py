"""The tables and plots in the documents are what the measured JSON draws, to the byte."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_evidence_figures_come_from_the_measured_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from evidence_study.plots import draw

    shown = ROOT / "docs" / "evidence"
    shutil.copy(shown / "results.json", tmp_path)
    drawn = draw(tmp_path / "results.json")
    assert {each.name for each in shown.iterdir()} == {*drawn, "results.json"}
    for name in drawn:
        assert (tmp_path / name).read_text() == (shown / name).read_text(), name


def test_labelling_figures_come_from_the_measured_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from label_table import draw

    shown = ROOT / "docs" / "labelling"
    results = json.loads((shown / "results.json").read_text())
    assert draw(results) == (shown / "results.md").read_text()
