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


def test_the_tables_of_the_search_come_from_the_measured_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from experiment_results import Results, markdown

    results = Results(ROOT / "docs" / "experiments" / "results.json")
    assert markdown(results, 60.0) in (ROOT / "docs" / "experiments.md").read_text()


def test_cells_of_the_search_add_up_and_ranks_are_of_places_where_everyone_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from experiment_contestants import Outcome
    from experiment_results import Results

    def outcome(score: float) -> Outcome:
        return Outcome(score, score + 0.01, 60.0, "made up")

    path, here, there = tmp_path / "results.json", ("hmda", 0, 60.0), ("yeast1", 1, 60.0)
    Results(path).add(here, {"assay": outcome(0.8), "best": outcome(0.9)})
    again = Results(path)
    assert again.holds(here, "assay")
    assert not again.holds(here, "flaml")
    again.add(here, {"flaml": outcome(0.7)})
    again.add(there, {"flaml": outcome(0.9)})
    again.add(("hmda", 0, 300.0), {"flaml": outcome(0.8)})
    told = Results(path).as_dict()
    assert told["results"].keys() == {"hmda/0/60", "yeast1/1/60", "hmda/0/300"}
    ranks = {who: each["mean_rank"] for who, each in told["contestants"]["60"].items()}
    assert ranks == {"best": 1.0, "assay": 2.0, "flaml": 3.0}
    assert told["contestants"]["300"]["flaml"]["mean_rank"] == 1.0
