"""What can be done about a finding of each kind, from faults planted in rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from assay.diagnose import diagnose
from assay.diagnose.detectors.calibration import CalibrationDetector
from assay.diagnose.detectors.classes import ClassDetector
from assay.diagnose.detectors.contradictions import ContradictionDetector
from assay.diagnose.detectors.label_errors import LabelErrorDetector
from assay.diagnose.detectors.leakage import LeakageDetector
from assay.diagnose.detectors.overlap import OverlapDetector
from assay.diagnose.detectors.shortcuts import ShortcutDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.propose import Remedied, remedied
from assay.diagnose.spec import Detector, Diagnosis
from assay.diagnose.strategies.ranking import FIXES, Costs, odds_by_kind, strategies
from assay.diagnose.strategies.recipes import with_calibration, without_column
from assay.ledger import Ledger
from assay.recipe import Mended, Recipe, Tabular, Tools, baseline_recipe, fit_recipe
from assay.tables import infer_task
from assay.task import Task


def of_table(rows: pl.DataFrame, *detectors: Detector, **said: Any) -> tuple[Diagnosis, Task]:
    found = diagnose(rows, truth="y", detectors=detectors, **said)
    return found, infer_task(rows, "y").task


def edits(found: Diagnosis, task: Task, code: str) -> dict[str, Recipe]:
    base = baseline_recipe(task)
    return {each.kind: each.proposal.apply(base) for each in about(found, task, code)}


def about(found: Diagnosis, task: Task, code: str) -> list[Remedied]:
    return [each for each in remedied(found, task) if each.finding.code == code]


def test_a_column_that_leaks_is_left_out() -> None:
    random = np.random.default_rng(0)
    truth = random.choice(["a", "b"], 600)
    x = random.normal(size=600)
    said = np.where((x > 1) & (random.random(600) < 0.6), np.roll(truth, 1), truth)
    rows = pl.DataFrame({"x": x, "after": truth == "a", "y": truth})
    found, task = of_table(rows, LeakageDetector(), SliceDetector(), predictions=said)
    first, *others = [each.code for each in strategies(found, task)]
    assert first == "AS401", "it has no cost in units of the loss, and comes first all the same"
    assert "AS101" in others
    (recipe,) = edits(found, task, "AS401").values()
    (feature,) = recipe.features
    assert isinstance(feature, Tabular)
    assert feature.columns == ("x",)
    alone = without_column(recipe, "x")
    assert alone == recipe, "a model must read something"


def test_a_column_that_the_model_takes_for_a_class_is_left_out() -> None:
    random = np.random.default_rng(0)
    source = random.choice(["web", "shop"], 800)
    truth = random.choice(["a", "b"], 800)
    said = np.where(source == "web", "a", truth)
    rows = pl.DataFrame({"x": random.normal(size=800), "source": source, "y": truth})
    found, task = of_table(rows, ShortcutDetector(), predictions=said)
    recipes = edits(found, task, "AS602")
    assert recipes["drop"].features[0].columns == ("x",)
    assert recipes["regularise"].estimator.parameters["C"] == 0.1


def test_a_word_that_the_model_takes_for_a_class_is_left_out_of_the_text() -> None:
    random = np.random.default_rng(0)
    clue = random.random(600) < 0.4
    truth = random.choice(["a", "b"], 600)
    texts = [f"film {number}" + (" sequel" if held else "") for number, held in enumerate(clue)]
    rows = pl.DataFrame({"text": texts, "y": truth})
    said = np.where(clue, "a", truth)
    found = diagnose(rows, truth="y", text="text", predictions=said, detectors=[ShortcutDetector()])
    task = infer_task(rows, "y", text="text").task
    assert edits(found, task, "AS602")["drop"].features[0].without == ("sequel",)
    assert {each.kind for each in strategies(found, task) if each.runs} == {"drop", "regularise"}
    older = replace(found, findings=tuple(replace(each, about=()) for each in found.findings))
    assert set(edits(older, task, "AS602")) == {"regularise"}


def test_copies_that_contradict_each_other_are_given_one_label() -> None:
    random = np.random.default_rng(0)
    x = np.repeat(random.normal(size=300), 3)
    truth = np.where(x > 0, "a", "b")
    given = np.where(random.random(900) < 0.2, np.where(truth == "a", "b", "a"), truth)
    rows = pl.DataFrame({"x": x, "y": given})
    found, task = of_table(rows, ContradictionDetector(), predictions=truth)
    recipes = edits(found, task.model_copy(update={"features": ("x",)}), "AS203")
    assert recipes["relabel"].rows.copies == "agreed"
    assert recipes["deduplicate"].rows.copies == "one"


def test_a_rare_class_that_fails_weighs_more_and_gets_more_rows() -> None:
    random = np.random.default_rng(0)
    truth = random.choice(["common", "rare"], 1000, p=[0.9, 0.1])
    said = np.where((truth == "rare") & (random.random(1000) < 0.7), "common", truth)
    rows = pl.DataFrame({"x": random.normal(size=1000), "z": random.normal(size=1000), "y": truth})
    found, task = of_table(rows, ClassDetector(), predictions=said)
    by_accuracy = task.model_copy(update={"metric": "accuracy"})
    assert edits(found, by_accuracy, "AS103") == {}, "accuracy rewards to give a rare class rarely"
    recipes = edits(found, task.model_copy(update={"metric": "macro_f1"}), "AS103")
    assert recipes["synthesise"].rows.made[0].class_name == "rare"
    picked = recipes["reweight"].rows.weighted[0].predicate.select(rows)
    assert picked.tolist() == (truth == "rare").tolist()


def test_wrong_labels_are_mended_inside_each_fold_and_a_person_costs_more() -> None:
    random = np.random.default_rng(0)
    x = 2 * random.normal(size=1500)
    stated = 1 / (1 + np.exp(-4 * x))
    truth = np.where(random.random(1500) < stated, "a", "b")
    given = np.where(random.random(1500) < 0.15, np.where(truth == "a", "b", "a"), truth)
    rows, shares = pl.DataFrame({"x": x, "y": given}), np.column_stack([stated, 1 - stated])
    found, task = of_table(rows, LabelErrorDetector(), probabilities=shares)
    recipes = edits(found, task, "AS201")
    assert [each.action for each in recipes["relabel"].rows.mended] == ["relabel"]
    assert recipes["drop"].rows.mended == (
        Mended(features=baseline_recipe(task).features, action="drop"),
    )
    tasked = [each for each in strategies(found, task) if each.code == "AS201"]
    by_hand = [each for each in strategies(found) if each.code == "AS201"]
    assert all(each.runs for each in tasked)
    assert not any(each.runs for each in by_hand)
    (size,) = [each.size for each in found.findings if each.code == "AS201"]
    assert by_hand[-1].gain == tasked[-1].gain
    assert max(each.minutes for each in by_hand) == Costs().row * size


def test_calibration_mends_probabilities_that_are_too_sure() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=1600)
    truth = np.where(random.random(1600) < 1 / (1 + np.exp(-x)), "yes", "no")
    columns = {f"x{number}": x + 0.01 * random.normal(size=1600) for number in range(8)}
    rows = pl.DataFrame({**columns, "y": truth}).with_row_index("row_id")
    task = infer_task(rows.drop("row_id"), "y").task.model_copy(update={"metric": "log_loss"})
    base = baseline_recipe(task).with_estimator("sklearn.naive_bayes.GaussianNB")
    taught, judged = rows[:800], rows[800:]

    tools = Tools(read_table=_nothing, embed=_nothing)

    def stated(recipe: Recipe) -> np.ndarray:
        return fit_recipe(recipe, taught, task, tools=tools, seed=0).predict_proba(judged)

    before = stated(base)
    found, _ = of_table(judged.drop("row_id"), CalibrationDetector(), probabilities=before)
    suggested = [each for each in remedied(found, task) if each.kind == "calibrate"]
    assert {each.finding.code for each in suggested} <= {"AS301", "AS302", "AS304"}
    assert suggested
    after = stated(suggested[0].proposal.apply(base))
    given = judged["y"].to_list()
    assert log_loss(given, after) < log_loss(given, before) - 0.2
    recipe = with_calibration(base, "isotonic")
    assert with_calibration(recipe, "sigmoid") == recipe, "it is calibrated already"
    accurate = task.model_copy(update={"metric": "accuracy"})
    assert not [each for each in remedied(found, accurate) if each.kind == "calibrate"]


def _nothing(*asked: object) -> Any:
    raise AssertionError(f"nothing is to be asked: {asked}")


def test_what_people_must_do_is_ranked_beside_what_runs(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    region = random.choice(["north", "south", "west"], 900)
    truth = random.choice(["a", "b"], 900)
    wrong = random.random(900) < np.where(region == "north", 0.5, 0.05)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    rows = pl.DataFrame({"region": region, "x": random.normal(size=900), "y": truth})
    found, task = of_table(rows, SliceDetector(), predictions=said)
    ranked = [each for each in strategies(found, task) if each.finding == 0]
    finding = found.findings[0]
    assert {each.kind for each in ranked} == {"collect", "feature", "reweight", "synthesise"}
    assert [each.per_minute for each in ranked] == sorted(
        (each.per_minute for each in ranked), reverse=True
    )
    collect = next(each for each in ranked if each.kind == "collect")
    assert collect.gain == pytest.approx(0.5 * finding.cost)
    assert collect.minutes == Costs().row * finding.size
    assert not collect.runs
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        tried = [
            {"kind": "feature", "verdict": "undecided"},
            {"kind": "feature", "verdict": "harmful"},
        ]
        ledger.record("event", {FIXES: [*tried, {"kind": "reweight", "verdict": "proven"}]})
        odds = odds_by_kind(ledger)
    assert odds == {"feature": 1 / 4, "reweight": 2 / 3}
    kinds = [each.kind for each in remedied(found, task, odds=odds) if each.finding == finding]
    assert kinds == ["reweight", "synthesise", "feature", "feature"], (
        "what was proven here oftener comes first"
    )
    known = replace(found, strategies=strategies(found, task, odds=odds))
    assert Diagnosis.from_json(known.to_json()) == known


def test_copies_and_shared_groups_are_work_for_people() -> None:
    random = np.random.default_rng(0)
    rows = pl.DataFrame({"x": random.normal(size=400), "z": random.normal(size=400),
                         "y": random.choice(["a", "b"], 400)})  # fmt: skip
    found, _ = of_table(
        rows, OverlapDetector(), predictions=rows["y"].to_numpy(), training=rows[:200]
    )
    told = [each for each in found.strategies if each.code == "AS402"]
    assert [each.kind for each in told] == ["deduplicate"]
    assert told[0].gain is None
    assert told[0].minutes == Costs().look
