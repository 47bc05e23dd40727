from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import methodcaller
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project, diagnose
from assay.diagnose import propose
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.propose import remedied
from assay.diagnose.record import newest
from assay.diagnose.spec import Finding
from assay.diagnose.strategies.edits import Edit
from assay.diagnose.strategies.ranking import odds_by_kind
from assay.improve.fixes import Fixes, try_fixes
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

    def with_a_bad_one(finding: Finding, task: Task) -> Iterator[Edit]:
        yield from suggested(finding, task)
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
