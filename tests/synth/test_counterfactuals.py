"""Counterfactuals are near the rows that they change: no fault, and what they may give away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assay import Project, synthesize
from assay.llm import ScriptedModel
from assay.synth.curation import NoCopies
from assay.synth.spec import Order
from newsroom import TASK, newsroom
from synth.stated_gate import keep


def test_a_change_of_a_row_is_no_copy_of_it_but_of_others() -> None:
    rows = newsroom(40, seed=0, words=30)
    first, second = rows["text"][0], rows["text"][1]
    changed = first.replace(first.split()[5], "barley", 1)
    made = pl.DataFrame(
        {
            "text": [changed, first.upper(), second + " barley"],
            "topic": ["farm"] * 3,
            "made_from": [rows["row_id"][0]] * 3,
            "synthetic_id": ["changed", "the same", "of another"],
        }
    )
    order = Order(TASK, rows, "farm", 3, 0)
    kept = NoCopies(changes=True).sift(made, order).kept
    assert kept["synthetic_id"].to_list() == ["changed"]
    assert NoCopies().sift(made, order).kept.is_empty()


def test_counterfactuals_are_kept_and_measured_against_the_rows_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(monkeypatch, None)
    rows = newsroom(330, seed=1, words=30).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="topic")

    def answer(prompt: Any) -> dict[str, str]:
        text = json.loads(prompt.text.splitlines()[-1])["c0"]
        return {"c0": " ".join([*text.split()[:12], *["wheat", "harvest", "barley", "crop"] * 5])}

    result = synthesize(
        project,
        for_class="farm",
        method="counterfactual",
        rows=60,
        model="scripted:model",
        models={"scripted:model": ScriptedModel(generate=answer)},
        canaries=10,
        confirm=False,
    )
    assert result.privacy is not None
    (runs,) = (each for each in result.privacy.memory if each.name.startswith("long runs"))
    assert runs.estimate > 0.9
    attacks = {each.name: each for each in result.privacy.attacks}
    assert attacks["membership by nearness"].details["area_interval"][0] > 0.7
    project.ledger().close()
