from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay import Project, diagnose
from assay.diagnose import propose
from assay.diagnose.detectors.calibration_slices import SliceCalibrationDetector
from assay.diagnose.detectors.contradictions import ContradictionDetector
from assay.diagnose.detectors.fit import FitDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.propose import remedied
from assay.diagnose.record import newest
from assay.diagnose.spec import Finding
from assay.diagnose.strategies.edits import Edit, Stated
from assay.diagnose.strategies.ranking import odds_by_kind
from assay.diagnose.strategies.tried import Fixes
from assay.improve.fixes import try_fixes
from assay.recipe import Proposal, baseline_recipe
from assay.tables import infer_task
from assay.task import Task


def corner(n: int, seed: int) -> pl.DataFrame:
    """A label that a line tells everywhere but in one corner, where it is turned round."""
    random = np.random.default_rng(seed)
    x, age = random.normal(size=n), random.uniform(18, 80, n)
    region = random.choice(["north", "south", "west"], n)
    turned = (age > 50) & (region == "north")
    yes = np.where(turned, x < 2.0, x > 0)
    return pl.DataFrame({"x": x, "age": age, "region": region, "y": np.where(yes, "yes", "no")})


@pytest.mark.slow
def test_a_slice_that_was_found_is_tried_and_the_fix_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.diagnose.propose.MOST", 1)
    project = Project.create(tmp_path / "p", corner(1000, 0), target="y", metric="accuracy")
    assert newest(project.ledger()) is None, "there is nothing to propose yet"
    found = diagnose(project, detectors=[SliceDetector()])
    corners = [each for each in found.findings if "age" in each.title]
    told = replace(found, findings=tuple(corners))
    monkeypatch.setattr("assay.diagnose.propose.newest", lambda ledger: told)
    suggested = propose.edits_of

    def with_a_bad_one(finding: Finding, task: Task, constraints: Stated) -> Iterator[Edit]:
        yield from suggested(finding, task, constraints)
        guess = methodcaller("with_estimator", "sklearn.dummy.DummyClassifier")
        yield "check", Proposal("guess", "it cannot help", "rule:test", guess)

    monkeypatch.setattr(propose, "edits_of", with_a_bad_one)
    tried = try_fixes(project, told)
    kinds = {each.name.split(" ")[0]: each for each in tried.fixes}
    slice_told, own, weighed, made, guess = (
        kinds[name] for name in ("slice:", "weights", "weighed", "made", "guess")
    )
    assert len(tried.fixes) == 5
    assert own.name.startswith("weights of their own where ")
    assert own.verdict == "proven"
    assert guess.verdict == "harmful"
    assert guess.on_all.interval.high < 0
    assert slice_told.name.startswith("slice: ")
    assert slice_told.verdict == "proven"
    assert slice_told.on_slice is not None
    assert slice_told.on_slice.interval.low > 0
    assert weighed.name.startswith("weighed 3 times: ")
    assert made.name.startswith("made rows where ")
    assert made.on_slice is not None
    assert tried.confirmed is not None
    assert tried.confirmed.interval.low > 0
    assert odds_by_kind(project.ledger())["feature"] == 3 / 4, "two of two were proven"
    assert Fixes.from_json(tried.to_json()) == tried
    project.ledger().close()


def noisy_copies(n: int) -> tuple[pl.DataFrame, str, dict[str, Any]]:
    """Five rows of each text, of whose labels a quarter slipped, and a model that repeats one."""
    random = np.random.default_rng(0)
    good = np.repeat(random.random(n // 5) < 0.5, 5)
    slipped = random.random(len(good)) < 0.25
    words = np.repeat(random.integers(30, size=(n // 5, 3)), 5, axis=0)
    texts = [" ".join(f"{'good' if yes else 'bad'}{one}" for one in each)
             for yes, each in zip(good, words, strict=True)]  # fmt: skip
    rows = pl.DataFrame({"text": texts, "y": np.where(good ^ slipped, "yes", "no")})
    return rows, "sklearn.neighbors.KNeighborsClassifier", {"n_neighbors": 1}


def coarse(n: int) -> tuple[pl.DataFrame, str, dict[str, Any]]:
    """A tree that may not look at fewer than half of the rows, where there is more to tell."""
    random = np.random.default_rng(0)
    x, z = random.normal(size=n), random.normal(size=n)
    rows = pl.DataFrame({"x": x, "z": z, "y": np.where((x > 0) ^ (z > 0), "yes", "no")})
    return rows, "sklearn.tree.DecisionTreeClassifier", {"min_samples_leaf": n // 4}


@pytest.mark.parametrize(
    ("faulty", "detector", "name"),
    [
        (noisy_copies, ContradictionDetector(), "copies under their commonest label"),
        (coarse, FitDetector(), "regularisation made 10 times weaker"),
    ],
)
def test_what_mends_a_fault_is_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faulty: Any, detector: Any, name: str
) -> None:
    rows, path, parameters = faulty(1800)
    text = "text" if "text" in rows.columns else None
    task = infer_task(rows, "y", text=text).task
    recipe = baseline_recipe(task).with_estimator(path, **parameters)
    project = Project.create(
        tmp_path / "p", rows, target="y", text=text, metric="accuracy", recipe=recipe, seed=0
    )
    found = diagnose(project, detectors=[detector])
    monkeypatch.setattr("assay.diagnose.propose.newest", lambda ledger: found)
    tried = {each.name: each for each in try_fixes(project, found).fixes}
    assert tried[name].verdict == "proven"
    assert tried[name].on_all.interval.low > 0
    project.ledger().close()


def test_probabilities_that_are_off_in_a_slice_are_mended_by_what_they_are_worth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naive Bayes takes what one place measures six times over for six measurements."""
    random, n = np.random.default_rng(0), 1600
    yes, place = random.random(n) < 0.5, random.choice(["east", "west"], n, p=[0.4, 0.6])
    own = random.normal(size=(n, 6)) * 2.5
    noise = np.where((place == "east")[:, None], own[:, :1], own)
    columns = {f"x{at}": yes + noise[:, at] for at in range(6)}
    rows = pl.DataFrame({"place": place, **columns, "y": np.where(yes, "yes", "no")})
    task = infer_task(rows, "y").task
    recipe = baseline_recipe(task).with_estimator("sklearn.naive_bayes.GaussianNB")
    project = Project.create(
        tmp_path / "p", rows, target="y", metric="log_loss", recipe=recipe, seed=0
    )
    found = diagnose(project, detectors=[SliceCalibrationDetector()])
    monkeypatch.setattr("assay.diagnose.propose.newest", lambda ledger: found)
    fixes = try_fixes(project, found).fixes
    assert {each.code for each in fixes} == {"AS304"}
    assert all("log_loss" in each.on_slice.name for each in fixes if each.on_slice is not None)
    assert "proven" in [each.verdict for each in fixes]
    project.ledger().close()


def test_a_threshold_that_costs_too_much_is_chosen_anew() -> None:
    random = np.random.default_rng(0)
    chance = random.random(1500)
    truth = np.where(random.random(1500) < chance, "yes", "no")
    stated = 0.4 * chance
    rows = pl.DataFrame({"x": chance, "y": truth})
    found = diagnose(rows, truth="y", probabilities=np.column_stack([1 - stated, stated]))
    task = infer_task(rows, "y").task.model_copy(update={"metric": "macro_f1"})
    proposals = [each.proposal for each in remedied(found, task) if each.finding.code == "AS303"]
    (recipe,) = [each.apply(baseline_recipe(task)) for each in proposals]
    assert recipe.decision is not None
    assert recipe.decision.aim == "macro_f1"
    ranked = task.model_copy(update={"metric": "auc"})
    assert not [each for each in remedied(found, ranked) if each.finding.code == "AS303"]
