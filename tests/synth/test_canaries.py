"""Planted secrets: a writer that repeats them is found, one that does not is not accused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay import Project, SynthesisResult, synthesize
from assay.errors import InputError
from assay.llm import ScriptedModel
from assay.synth.privacy import PrivacyLimits
from assay.synth.privacy.canaries import _exposure, plant, repeated
from assay.synth.report.story import measures
from newsroom import TASK, newsroom

SECRET = re.compile(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}")


def planted_rows(count: int = 20):
    rows = newsroom(60, seed=0, words=20)
    shown = rows["row_id"].to_list()[:40]
    return rows, *plant(rows, TASK, shown, count, seed=0)


def test_secrets_go_into_shown_rows_alone() -> None:
    rows, planted, canaries = planted_rows()
    changed = planted.filter(planted["text"] != rows["text"])
    assert changed.height == len(canaries.planted) == 20
    assert set(changed["row_id"]) <= set(rows["row_id"][:40])
    told = {SECRET.findall(each)[0].replace("-", "").lower() for each in changed["text"]}
    assert told == set(canaries.planted)
    assert not told & set(canaries.references)
    assert len(planted_rows(count=1000)[2].planted) == 40


def test_a_writer_that_copies_repeats_every_secret() -> None:
    _, planted, canaries = planted_rows()
    found = repeated(planted, canaries, TASK)
    assert found.details["success"] == 1.0
    assert found.interval.low > 0.75
    assert found.details["exposure"] == pytest.approx(10)


def test_a_writer_that_half_remembers_is_exposed_though_it_repeats_none() -> None:
    _, _, canaries = planted_rows()
    halves = pl.DataFrame({"text": [f"see {each[:6].upper()}" for each in canaries.planted]})
    found = repeated(halves, canaries, TASK)
    assert found.details["success"] == 0.0
    assert found.details["exposure_interval"][0] > 5


def test_a_writer_that_remembers_nothing_is_not_accused() -> None:
    _, _, canaries = planted_rows()
    found = repeated(newsroom(200, seed=5, words=30), canaries, TASK)
    assert found.interval.low == 0.0
    assert found.details["exposure"] <= 1.5


def test_the_interval_of_the_exposure_holds_what_guessing_gives() -> None:
    random = np.random.default_rng(0)
    held = []
    for _ in range(300):
        ranks = random.permutation(1043)
        _, low, high = _exposure(ranks[:20], ranks[20:])
        held.append(low <= 1 / np.log(2) <= high)
    assert np.mean(held) >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("tells", [True, False])
def test_a_synthesis_tells_whether_its_writer_repeats_secrets(tmp_path: Path, tells: bool) -> None:
    rows = newsroom(300, seed=1, words=14).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="topic")
    fresh = iter(newsroom(3000, seed=9, words=14).filter(pl.col("topic") == "farm")["text"])

    def write(prompt: Any) -> dict[str, Any]:
        found = SECRET.findall(prompt.text) if tells else []
        return {"c0": f"{next(fresh)} {' '.join(found)}"}

    result = synthesize(
        project,
        for_class="farm",
        rows=40,
        method="write",
        model="scripted:model",
        models={"scripted:model": ScriptedModel(generate=write)},
        doses=(0.2,),
        canaries=10,
        confirm=False,
    )
    assert result.rehearsed == "write"
    assert result.privacy is not None
    found = result.privacy.attacks[-1]
    assert found.n == 10
    assert (found.interval.low > 0.1) == tells
    told = result.privacy.exceeded(PrivacyLimits(copies=1, runs=1, close=1, membership=1))
    assert any(each.startswith("canaries repeated") for each in told) == tells
    assert any("of 10 planted; exposure" in each for each in measures(result))
    assert SynthesisResult.from_json(result.to_json()) == result
    real = json.dumps(project.search()["text"].to_list())
    assert not SECRET.search(real), "the project's own rows stay as they are"
    project.ledger().close()


def test_canaries_need_a_writer_of_texts(tmp_path: Path) -> None:
    rows = newsroom(200, seed=1).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="topic")
    with pytest.raises(InputError, match="canaries are planted"):
        synthesize(project, for_class="farm", canaries=5)
    with pytest.raises(InputError, match="canaries are planted"):
        synthesize(project, for_class="farm", method="write", canaries=-1)
    project.ledger().close()
