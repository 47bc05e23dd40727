"""Hypotheses that are tested on made rows: with what they name, and without."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.answers import Answers
from assay.diagnose.detectors.slices import SliceDetector, slice_suspicion
from assay.diagnose.explain import testing
from assay.diagnose.explain.asking import explain, without_project
from assay.diagnose.explain.offer import Offer
from assay.diagnose.explain.pairs import Pair, changed, contrasted, usable
from assay.diagnose.explain.spec import Idea
from assay.diagnose.explain.testing import NO_MODEL, Proposed
from assay.diagnose.given import read_case
from assay.diagnose.harness import Found, examined
from assay.diagnose.models import case_answers
from assay.diagnose.report import hidden, render_html, render_markdown
from assay.diagnose.spec import Diagnosis, Finding
from assay.llm import Prompt, ScriptedModel
from assay.project import Project
from assay.tables.predicate import Condition, Predicate

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


def said(name: str, *conditions: Mapping[str, Any]) -> dict[str, Any]:
    """What a language model writes first: a hypothesis that is to be tested by changing rows."""
    words = f"the rows fail as {name}"
    return {"name": name, "hypothesis": words, "conditions": [*conditions], "change_rows": True}


Changes = Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]


def scripted(changes: Changes, *others: dict[str, Any], n: int = 8) -> ScriptedModel:
    """A model that states these hypotheses, and then changes n rows for each in two ways."""

    def answer(prompt: Prompt) -> dict[str, Any]:
        shown = json.loads(prompt.text)
        if "hypothesis" not in shown:
            return {"hypotheses": [*map(said, changes), *others]}
        return {
            "pairs": [pair(at, *changes[shown["hypothesis"]["name"]]) for at in range(1, n + 1)]
        }

    return ScriptedModel(generate=answer)


def changed_rows(asked: ScriptedModel) -> list[Prompt]:
    return [each for each in asked.asked if "rows to change" in each.text]


def explained(asked: ScriptedModel, **options: Any) -> Diagnosis:
    return diagnose(
        rows(), truth="y", detectors=[SliceDetector()], explain=SCRIPTED,
        models={SCRIPTED: asked}, **options,
    )  # fmt: skip


def test_what_made_rows_bear_out_is_kept_and_what_they_do_not_is_dropped() -> None:
    asked = scripted(
        {
            "old people of the north": (NORTH, SOUTH),
            "people in their thirties": ({"age": 31.0}, {"age": 45.0}),
            "a column that is not there": ({"height": 1.0}, {}),
        }
    )
    found = explained(asked, model=model)
    assert found.explained is not None
    (kept,) = found.explained.of(0)
    assert kept.name == "old people of the north"
    assert kept.test == "8 of the finding's rows, changed to have what it names and to lack it"
    assert kept.effect is not None
    assert kept.effect.estimate == 1.0
    assert kept.effect.p_value == pytest.approx(2**-8)
    assert 0 < kept.effect.interval.low < 1
    assert kept.pairs[0]["with"] == NORTH
    assert kept.pairs[0]["loss without"] == 0.0
    assert kept.pairs[0]["loss as it is"] == 1.0
    reasons = {each.name: each.dropped for each in found.explained.dropped}
    assert reasons["people in their thirties"].startswith("no worse than chance on the made rows")
    assert reasons["a column that is not there"].startswith("fewer than 5 pairs")
    assert Diagnosis.from_json(found.to_json()) == found
    for page in (render_markdown(found, name="x"), render_html(found, name="x")):
        assert "rows, changed to have what it names and to lack it" in page
    assert "not that they occur" in render_html(found, name="x")
    assert hidden(found, None, {})[0].explained is not None


def test_what_makes_the_model_fail_on_rows_that_are_not_the_findings_is_dropped() -> None:
    def fails_when_loud(given: pl.DataFrame) -> np.ndarray:
        """Fails on half of the old people of the north, and on loud ones, which no row here is."""
        spared = (given["x"] * 1000).round() % 2 == 0
        right = np.where(given["x"] > 0, "yes", "no")
        said = np.where(spared, right, model(given))
        return np.where(given["tone"] == "loud", np.where(right == "yes", "no", "yes"), said)

    table = rows().with_columns(tone=pl.Series(["calm", "even"] * 600))
    asked = scripted({"loud people": ({"tone": "loud"}, {"tone": "calm"})}, n=12)
    found = diagnose(
        table, truth="y", model=fails_when_loud, detectors=[SliceDetector()], explain=SCRIPTED,
        models={SCRIPTED: asked},
    )  # fmt: skip
    assert found.explained is not None
    told = found.explained.hypotheses[0]
    assert told.effect is not None
    assert told.effect.details["p_with_it"] < 0.05, "to be loud does make these rows fail"
    assert told.effect.details["p_as_it_is"] == 1.0, "but as they are, they are not loud"
    assert told.dropped.startswith("the finding's rows are not so")


def test_rows_to_change_are_the_findings_of_the_half_that_confirmed_it() -> None:
    case = read_case(rows(), truth="y", model=model)
    examination = examined(case, [SliceDetector()], loss="error")
    asked = scripted({"old people of the north": (NORTH, SOUTH)})
    with without_project({SCRIPTED: asked}) as gateway:
        explain(examination, gateway, SCRIPTED, ask=case_answers(case))
    prompts = changed_rows(asked)
    assert len(prompts) == len(examination.found)
    for prompt, found in zip(prompts, examination.found, strict=True):
        assert found.suspicion.select is not None
        mask = found.suspicion.select(found.unseen)
        shown = json.loads(prompt.text)["rows to change"]
        assert {each["note"] for each in shown} <= set(found.unseen.rows["note"].filter(mask))
        assert [each["(number)"] for each in shown] == list(range(1, 13))
        assert all("(truth)" in each and "(model)" not in each for each in shown)
    stated = [each for each in asked.asked if each not in prompts]
    assert all("change_rows" in each.instructions for each in stated)


def test_without_the_model_no_changed_rows_are_asked_for_and_that_is_said() -> None:
    asked = scripted({"old people of the north": (NORTH, SOUTH)})
    found = explained(asked, predictions=model(rows()))
    assert not changed_rows(asked)
    assert all("change_rows" not in each.instructions for each in asked.asked)
    assert found.explained is not None
    assert {each.dropped for each in found.explained.hypotheses} == {NO_MODEL}


def test_a_finding_of_few_rows_is_not_changed() -> None:
    case = read_case(rows(), truth="y", model=model)
    (found, *_) = examined(case, [SliceDetector()], loss="error").found
    few = found.unseen.take(np.arange(8))
    assert Offer.of(replace(found, unseen=few)) is None
    grouped = replace(
        found.unseen, rows=found.unseen.rows.with_columns(group=1),
        task=found.unseen.task.model_copy(update={"group": "group"}),
    )  # fmt: skip
    assert Offer.of(found) is not None
    assert Offer.of(replace(found, unseen=grouped)) is None, "rows of one group count once"


def test_consent_is_asked_for_both_questions_at_once() -> None:
    asked, told = scripted({"old people of the north": (NORTH, SOUTH)}), []
    explained(asked, model=model, consent=lambda estimate: bool(told.append(estimate)))
    (both,) = told
    assert both.requests >= 4, "one for each finding, and three rounds of changed rows"
    assert not asked.asked


def test_a_model_that_stops_on_a_made_row_costs_no_finding() -> None:
    def stops(given: pl.DataFrame) -> np.ndarray:
        told = model(given)
        return told if given.height > 100 else told[:1]

    def raises(given: pl.DataFrame) -> np.ndarray:
        if given.height < 100:
            raise KeyError("a value of its own")
        return model(given)

    for odd in (stops, raises):
        found = explained(scripted({"old people": (NORTH, SOUTH)}), model=odd)
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


def test_useless_hypotheses_of_both_kinds_are_kept_no_oftener_than_allowed() -> None:
    """The promise: of runs in which nothing that is said is so, at most 5 % keep any of it.

    The model errs at random, thrice as often on the finding's rows, and a changed row is another
    draw; or what is said makes it err on any row, but the finding's rows are not so.
    """
    random = np.random.default_rng(0)
    table = rows(400)
    finding = Predicate((Condition("region", "=", "north"),))
    kept, runs = 0, 600
    for run in range(runs):
        ask = partial(errs_at_random, run=run)
        case = read_case(table, truth="y", predictions=ask(table).predictions, seed=run)
        one, other = case.halves
        suspicion = slice_suspicion(finding)
        effect = suspicion.confirm(other)
        assert effect is not None
        claimed = Finding("AS101", "x", "low", "x", "", effect, 0.01, 0.0, 0.0, 1)
        found = Found(claimed, suspicion, one, other)
        offer = Offer.of(found)
        assert offer is not None
        ideas = [useless_conditions(random) for _ in range(2)]
        ideas += [useless_pairs(offer, random, loud=loud) for loud in (False, True, False)]
        told = testing.tested(
            [Proposed(0, found, each) for each in ideas], fdr=0.05, least=0.0, ask=ask
        )
        assert len(told) == 5
        kept += any(each.kept for each in told)
    assert kept / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def errs_at_random(given: pl.DataFrame, *, run: int) -> Answers:
    """A model that errs on three in ten of the north's rows, one in ten of others, and on LOUD."""
    drawn = given.select("x", "age", "note").hash_rows(seed=run).to_numpy() % 1000 / 1000
    often = np.where(given["region"] == "north", 0.3, 0.1)
    wrong = (drawn < often) | (given["note"] == "LOUD").to_numpy()
    return Answers(np.where((given["x"] > 0).to_numpy() ^ wrong, "yes", "no").astype(object))


def useless_conditions(random: np.random.Generator) -> Idea:
    sign: Any = str(random.choice(["<=", ">"]))
    return Idea("an age", "x", Predicate((Condition("age", sign, float(random.uniform(25, 75))),)))


def useless_pairs(offer: Offer, random: np.random.Generator, *, loud: bool) -> Idea:
    """Rows that are made to shout, or left as they are; and rows with another harmless note."""
    places = offer.places[: int(random.integers(5, 13))]
    pairs = [
        Pair(int(at), {"note": "LOUD"} if loud else {}, {"note": f"{random.random():.6f}"})
        for at in places
    ]
    return Idea("a note", "x", by_changing=True, pairs=tuple(pairs))


def test_a_model_that_the_hypothesis_is_wrong_about_keeps_it_no_oftener_than_allowed() -> None:
    """The promise of the tests of turned signs: at most 5 % of wrong hypotheses pass at .05."""
    random = np.random.default_rng(0)
    part = read_case(rows(400), truth="y", model=model)

    def guesses(given: pl.DataFrame) -> Answers:
        return Answers(random.choice(["no", "yes"], given.height, p=[0.3, 0.7]).astype(object))

    kept, tries = 0, 1000
    for _ in range(tries):
        places = random.choice(400, int(random.integers(5, 13)), replace=False)
        pairs = [Pair(int(place), {"age": 70.0}, {"age": 30.0}) for place in places]
        effect, _costs = contrasted(pairs, part, guesses)
        kept += effect.details["p_with_it"] <= 0.05
    assert kept / tries <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / tries)


def test_a_projects_recipe_is_asked_about_made_rows(tmp_path: Path) -> None:
    table = rows().with_columns(
        y=pl.when((pl.col("region") == "north") & (pl.col("age") > 60))
        .then(pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")))
        .otherwise(pl.col("y"))
    ).drop("note")  # fmt: skip
    project = Project.create(tmp_path / "p", table, target="y", metric="accuracy")
    asked = scripted({"old people of the north": (NORTH, SOUTH)}, n=12)
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
