"""Hypotheses that are tested on made rows: with what they name, and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.explain.pairs import Pair, changed, contrasted, usable
from assay.diagnose.given import read_case
from assay.diagnose.models import Answers
from assay.diagnose.report import hidden, render_html, render_markdown
from assay.diagnose.spec import Diagnosis
from assay.llm import Prompt, ScriptedModel
from assay.project import Project

SCRIPTED = "scripted:model"
NORTH, SOUTH = {"region": "north", "age": 70.0}, {"region": "south"}


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


def rows(n: int = 1200, seed: int = 0) -> pl.DataFrame:
    """Rows whose class x tells."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n).round(3)
    return pl.DataFrame(
        {
            "x": x,
            "age": random.integers(20, 80, n).astype(float),
            "region": random.choice(["north", "south", "west"], n),
            "note": [f"row {number}" for number in range(n)],
            "y": np.where(x > 0, "yes", "no"),
        }
    )


def model(given: pl.DataFrame) -> np.ndarray:
    """A model that is wrong on old people of the north."""
    told = (given["x"] > 0) ^ ((given["region"] == "north") & (given["age"] > 60))
    return np.where(told.to_numpy(), "yes", "no")


def pair(number: int, one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    named = [[{"column": name, "value": value} for name, value in each.items()]
             for each in (one, other)]  # fmt: skip
    return {"row": number, "with_it": named[0], "without_it": named[1]}


def said(name: str, one: Mapping[str, Any], other: Mapping[str, Any], n: int = 8) -> dict[str, Any]:
    pairs = [pair(number, one, other) for number in range(1, n + 1)]
    return {"name": name, "hypothesis": f"the rows fail as {name}", "pairs": pairs}


def scripted(*hypotheses: dict[str, Any]) -> ScriptedModel:
    return ScriptedModel(generate=lambda _: {"hypotheses": list(hypotheses)})


def explained(asked: ScriptedModel, **options: Any) -> Diagnosis:
    return diagnose(
        rows(), truth="y", detectors=[SliceDetector()], explain=SCRIPTED,
        models={SCRIPTED: asked}, **options,
    )  # fmt: skip


def test_what_made_rows_bear_out_is_kept_and_what_they_do_not_is_dropped() -> None:
    asked = scripted(
        said("old people of the north", NORTH, SOUTH),
        said("people in their thirties", {"age": 31}, {"age": 45}),
        said("a column that is not there", {"height": 1.0}, {}),
    )
    found = explained(asked, model=model)
    assert found.explained is not None
    (kept,) = found.explained.of(0)
    assert kept.name == "old people of the north"
    assert kept.test == "8 made rows, with what it names and without"
    assert kept.effect is not None
    assert kept.effect.estimate == 1.0
    assert kept.effect.p_value == pytest.approx(2**-8)
    assert 0 < kept.effect.interval.low < 1
    assert kept.pairs[0]["with"] == NORTH
    assert kept.pairs[0]["loss without"] == 0.0
    reasons = {each.name: each.dropped for each in found.explained.dropped}
    assert reasons["people in their thirties"].startswith("no worse than chance on the made rows")
    assert reasons["a column that is not there"].startswith("Fewer than 5 of its pairs")
    assert Diagnosis.from_json(found.to_json()) == found
    for page in (render_markdown(found, name="x"), render_html(found, name="x")):
        assert "8 made rows, with what it names and without" in page
    assert "not that they occur" in render_html(found, name="x")
    assert hidden(found, None, {})[0].explained is not None


def test_rows_to_change_are_drawn_whatever_the_model_makes_of_them_and_only_where_it_can_be_asked(
) -> None:  # fmt: skip
    asked = scripted(said("old people of the north", NORTH, SOUTH))
    explained(asked, model=model)
    shown = json.loads(asked.asked[0].text)["rows to change"]
    assert [each["(number)"] for each in shown] == list(range(1, 13))
    assert all("(truth)" in each and "(model)" not in each for each in shown)
    assert "with_it" in asked.asked[0].instructions
    bare = scripted(said("old people of the north", NORTH, SOUTH))
    found = explained(bare, predictions=model(rows()))
    prompt: Prompt = bare.asked[0]
    assert "rows to change" not in prompt.text
    assert "with_it" not in prompt.instructions
    assert found.explained is not None
    # Without rows to change, no pair names one.
    assert {each.dropped for each in found.explained.hypotheses} == {
        "Fewer than 5 of its pairs are two rows that the model can tell apart."
    }


def test_a_model_that_stops_on_a_made_row_costs_no_finding() -> None:
    def stops(given: pl.DataFrame) -> np.ndarray:
        told = model(given)
        return told if given.height > 100 else told[:1]

    def raises(given: pl.DataFrame) -> np.ndarray:
        if given.height < 100:
            raise KeyError("a value of its own")
        return model(given)

    for odd in (stops, raises):
        found = explained(scripted(said("old people", NORTH, SOUTH)), model=odd)
        assert found.findings
        assert found.explained is not None
        assert "could not be asked" in found.explained.dropped[0].dropped


def test_pairs_that_are_no_rows_or_that_do_not_differ_are_left_out() -> None:
    part = read_case(rows(), truth="y", model=model)
    good = [Pair(place, {"age": 70}, {"age": 30}) for place in range(5)]
    assert usable(good, part) == tuple(good)
    assert usable([*good[:4], Pair(0, {"age": 1}, {})], part) == (), "one for each row"
    for bad in ({"age": "old"}, {"age": [1]}, {"x": "1;drop"}):
        assert not Pair(9, bad, {"age": 30}).fits(part)
    assert not Pair(9, {}, {}).fits(part)
    dated = rows().with_columns(day=pl.date(2024, 1, 1))
    timed = read_case(dated, truth="y", predictions=model(dated))
    days = changed(timed, [0, 1], [{"day": "2024-02-03"}, {}])["day"].to_list()
    assert days == [date(2024, 2, 3), date(2024, 1, 1)]


def test_a_model_that_the_hypothesis_is_wrong_about_keeps_it_no_oftener_than_allowed() -> None:
    """The promise of the test of turned signs: at most 5 % of wrong hypotheses pass at .05."""
    random = np.random.default_rng(0)
    part = read_case(rows(400), truth="y", model=model)

    def guesses(given: pl.DataFrame) -> Answers:
        return Answers(random.choice(["no", "yes"], given.height, p=[0.3, 0.7]).astype(object))

    kept, tries = 0, 1000
    for _ in range(tries):
        places = random.choice(400, int(random.integers(5, 13)), replace=False)
        pairs = [Pair(int(place), {"age": 70.0}, {"age": 30.0}) for place in places]
        effect, _costs = contrasted(pairs, part, guesses)
        kept += (effect.p_value or 0.0) <= 0.05
    assert kept / tries <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / tries)


def test_a_projects_recipe_is_asked_about_made_rows(tmp_path: Path) -> None:
    table = rows().with_columns(
        y=pl.when((pl.col("region") == "north") & (pl.col("age") > 60))
        .then(pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")))
        .otherwise(pl.col("y"))
    ).drop("note")  # fmt: skip
    project = Project.create(tmp_path / "p", table, target="y", metric="accuracy")
    asked = scripted(said("old people of the north", NORTH, SOUTH, n=12))
    found = diagnose(
        project, detectors=[SliceDetector()], explain=SCRIPTED, models={SCRIPTED: asked}
    )
    assert found.explained is not None
    told = found.explained.hypotheses[0]
    assert told.effect is not None
    assert told.effect.n == 12
    # A linear recipe takes hardly any notice of the corner: it answers both of a pair alike.
    assert abs(told.effect.estimate) < 0.3
    assert not told.kept
    project.ledger().close()
