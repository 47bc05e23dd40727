"""The order in which proposals are judged, and what it promises."""

from __future__ import annotations

from operator import methodcaller

import numpy as np
import polars as pl
import pytest

from assay.recipe import Made, Recipe, Tools, baseline_recipe
from assay.recipe.spec import Raw
from assay.synth.curation import judges
from assay.synth.judging import Candidate, Court, Judged, best
from assay.synth.unmade import MOVED, remedies
from assay.task import Task
from newsroom import TASK as NEWSROOM
from newsroom import newsroom
from synth.tables_made_up import TASK

EVEN = Task(**{**dict(TASK), "features": ("x", "y", "z"), "metric": "balanced_accuracy"})
NEWS = NEWSROOM.model_copy(update={"metric": "macro_f1"})
SIZES = (("farm", 14), ("money", 60), ("sport", 60))
EDIT = "assay.synth.text.made_texts"
MOST = 6
"""Of 40 tables of noise: at 5 % more than this many keep something in one of 300 tries."""


def unused(*_: object, **__: object) -> object:
    raise AssertionError("nothing is read")


def points(n: int, seed: int, apart: float) -> pl.DataFrame:
    """Two classes, one row in eight of the rare one, which lies ``apart`` to the right."""
    random = np.random.default_rng(seed)
    rare = np.arange(n) % 8 == 0
    table = random.normal(size=(n, 3)) + np.outer(rare, [apart, 0, 0])
    return pl.DataFrame(table, schema=list("xyz")).with_columns(
        pl.Series("row_id", [f"r{i}" for i in range(n)]),
        pl.Series("class", np.where(rare, "rare", "common")),
    )


def dose(amount: float, path: str = "assay.synth.tabular.made_rows") -> Candidate:
    made = Made(path=path, class_name="rare", dose=amount, parameters={"method": "smote"})
    return Candidate("smote", amount, "rule:smote", methodcaller("with_made", made))


def judged(
    rows: pl.DataFrame, *doses: Candidate, task: Task = EVEN, recipe: Recipe | None = None
) -> tuple[Judged, ...]:
    recipe = baseline_recipe(task) if recipe is None else recipe
    court = Court(rows, task, Tools(unused, unused), seed=1, repeats=1)  # type: ignore[arg-type]
    return court.judge(recipe, [*doses, *remedies(recipe, task)])


def test_what_follows_the_leader_must_add_to_it() -> None:
    found = {each.candidate.method: each for each in judged(points(600, 0, 1.5), dose(1.0))}
    moved, smote = found[MOVED], found["smote"]
    assert moved.verdict.kept
    assert moved.over is None
    assert smote.over is moved.candidate
    assert smote.recipe.rarity == 1.0
    assert len(smote.recipe.rows.made) == 1
    assert smote.trial.before.estimate == pytest.approx(moved.trial.after.estimate)
    assert best(list(found.values())) is moved


def test_without_the_leader_the_others_stand_alone_at_what_is_left_of_the_level() -> None:
    found = {each.candidate.method: each for each in judged(points(400, 3, 0.0), dose(1.0))}
    assert not found[MOVED].verdict.kept
    assert found["smote"].over is None
    assert found["smote"].recipe.rarity == 0.0


def test_no_order_where_no_proposal_leads() -> None:
    found = judged(points(400, 0, 1.5), dose(1.0), task=EVEN.model_copy(update={"metric": "auc"}))
    assert [each.over for each in found] == [None, None]


@pytest.mark.slow
def test_where_nothing_can_help_something_is_kept_no_more_often_than_the_level_says() -> None:
    kept = 0
    plain = baseline_recipe(EVEN).with_features(Raw(columns=EVEN.features))  # nothing to encode
    for seed in range(40):
        found = judged(points(240, seed, 0.0), dose(1.0), recipe=plain)
        kept += best(found) is not None
    assert kept <= MOST


@pytest.mark.slow
def test_the_same_holds_where_class_weights_lead() -> None:
    kept = 0
    for seed in range(40):
        rows = newsroom(240, seed, words=6)
        rows = pl.concat([rows.filter(pl.col("topic") == name).head(size) for name, size in SIZES])
        rows = rows.with_columns(pl.col("topic").shuffle(seed))
        edited = Made(path=EDIT, class_name="farm", parameters={"method": "edit"})
        edit = Candidate("edit", 1.0, "rule:edit", methodcaller("with_made", edited))
        found = judged(rows, edit, task=NEWS)
        assert [each.candidate.leads for each in found] == [False, True, False]
        kept += best(found) is not None
    assert kept <= MOST


def test_class_weights_lead_on_texts_and_made_texts_must_add_to_them() -> None:
    rows = newsroom(300, 0, words=14)
    rows = pl.concat([rows.filter(pl.col("topic") == name).head(size) for name, size in SIZES])
    edited = Made(path=EDIT, class_name="farm", parameters={"method": "edit"})
    edit = Candidate("edit", 1.0, "rule:edit", methodcaller("with_made", edited))
    made, weights, moved = judged(rows, edit, task=NEWS)
    assert weights.verdict.kept
    assert weights.over is None
    assert made.over is weights.candidate
    assert made.recipe.estimator.parameters["class_weight"] == "balanced"
    assert moved.over is weights.candidate
    assert "class_weight" not in moved.recipe.estimator.parameters


def test_every_dose_is_sifted_by_judges_that_learn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taught: list[int] = []
    real = judges.new_judge

    def counted(task: Task, seed: int) -> object:
        taught.append(seed)
        return real(task, seed)

    monkeypatch.setattr(judges, "new_judge", counted)
    rows, recipe = points(200, 4, 2.0), baseline_recipe(EVEN)
    curated = "assay.synth.curation.curated_rows"
    for each in (dose(1.0, curated), dose(2.0, curated)):
        fit(each.apply(recipe), rows)
    assert len(taught) == judges.FOLDS
    fit(dose(1.0, curated).apply(recipe), rows.head(160))
    assert len(taught) == 2 * judges.FOLDS


def fit(recipe: Recipe, rows: pl.DataFrame) -> None:
    from assay.recipe import fit_recipe

    fit_recipe(recipe, rows, EVEN, tools=Tools(unused, unused), seed=0)  # type: ignore[arg-type]
