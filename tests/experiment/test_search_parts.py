"""The parts of the search: leaks, the space, halving, the tuner, blending, choosing."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project
from assay.errors import InputError
from assay.evidence import Evidence, Interval
from assay.experiment import circumspection
from assay.experiment.leaks import leaks
from assay.experiment.order import Order, first_entrants, own_model
from assay.experiment.report.story import tell
from assay.experiment.result import ExperimentResult
from assay.experiment.search.blending import blended
from assay.experiment.search.choosing import choose
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.families import families_for, portfolio
from assay.experiment.search.halving import is_cheap, promoted, stages
from assay.experiment.search.scoring import Scorer
from assay.experiment.search.tuner import Tuner
from assay.recipe import (
    Estimator,
    Tools,
    baseline_recipe,
    fit_recipe,
    recipe_from_toml,
    recipe_to_toml,
)
from assay.recipe.splits import FOLDS, REPEATS, splits
from assay.task import ClassDescription, MetricName, Task
from newsroom import TASK as NEWS
from newsroom import newsroom
from troublesome import shop

CLASSES = (ClassDescription(name="no"), ClassDescription(name="yes"))
TASK = Task(
    kind="binary",
    modality="tabular",
    target="bought",
    features=("size", "age", "town"),
    classes=CLASSES,
)
PRICE = Task(
    kind="regression", modality="tabular", target="price", features=("size", "town"), metric="mae"
)


def no_tools(*_: object, **__: object) -> None:
    raise AssertionError


TOOLS = Tools(read_table=no_tools, embed=no_tools)  # type: ignore[arg-type]


def priced(rows: int) -> pl.DataFrame:
    table = shop(rows).with_columns((pl.col("size") * 3).exp().alias("price"))
    return table.with_row_index("row_id").with_columns(pl.col("row_id").cast(pl.String))


@pytest.mark.parametrize(
    ("column", "found"),
    [
        (pl.col("bought") + "!", 1.0),
        (pl.when(pl.col("bought") == "yes").then(pl.lit(7.5)), 1.0),
        (pl.col("bought").shuffle(seed=1), None),
        (pl.int_range(pl.len()).cast(pl.String), None),
        (pl.lit("same"), None),
    ],
    ids=["a copy", "filled in afterwards", "unrelated", "an identifier", "constant"],
)
def test_a_column_that_gives_the_target_away_is_found(column: pl.Expr, found: float | None) -> None:
    task = TASK.model_copy(update={"features": ("size", "extra")})
    told = leaks(shop(300).with_columns(column.alias("extra")), task)
    assert [each.column for each in told] == ([] if found is None else ["extra"])
    if found is not None:
        assert told[0].explained == pytest.approx(found, abs=0.01)
        assert "after the outcome" in told[0].why


def test_a_copy_of_many_classes_is_found() -> None:
    names = [f"c{code:02d}" for code in range(77)]
    rows = shop(770).with_columns(intent=pl.Series([names[n % 77] for n in range(770)]))
    rows = rows.with_columns(code=pl.col("intent").str.slice(1).cast(pl.Int64) * 5 % 77)
    task = Task(
        kind="multiclass",
        modality="tabular",
        target="intent",
        features=("size", "code"),
        classes=tuple(ClassDescription(name=name) for name in names),
    )
    assert [(each.column, each.explained) for each in leaks(rows, task)] == [("code", 1.0)]


def test_a_copy_of_a_target_of_few_values_is_found_and_a_mark_of_none_is_no_copy() -> None:
    rows = priced(400).with_columns(stars=(pl.col("size") * 2).round().clip(-2, 2))
    rows = rows.with_columns(
        words=pl.col("stars").replace_strict({-2: "e", -1: "a", 0: "c", 1: "d", 2: "b"}),
        cost=pl.when(pl.int_range(pl.len()) % 20 == 0).then(pl.col("price")).otherwise(0.0),
    )
    rows = rows.with_columns(insured=(pl.col("cost") > 0).cast(pl.Int8))
    rows = rows.with_columns(nearly=pl.col("stars") + pl.col("age") / 1e6)
    stars = PRICE.model_copy(update={"target": "stars", "features": ("age", "words", "nearly")})
    assert {each.column: each.explained for each in leaks(rows, stars)} == {
        "words": 1,
        "nearly": 1,
    }
    cost = PRICE.model_copy(update={"target": "cost", "features": ("age", "insured")})
    assert leaks(rows, cost) == (), "it says that there is a cost, not which"


def test_a_price_in_another_currency_is_a_leak_and_a_good_predictor_is_none() -> None:
    rows = priced(400).with_columns((pl.col("price") * 1.1 + 3).alias("euros"))
    rows = rows.with_columns((pl.col("price").rank() + 80 * pl.col("age")).alias("size"))
    task = PRICE.model_copy(update={"features": ("size", "euros")})
    assert [each.column for each in leaks(rows, task)] == ["euros"]
    assert leaks(rows.head(20), task) == (), "among few rows anything may be chance"


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_every_default_of_a_table_can_be_built_and_read_back(metric: MetricName) -> None:
    rows = priced(120)
    task = TASK.model_copy(update={"metric": metric})
    families = families_for(Circumstances.of(task, rows))
    for family, values in portfolio(families):
        assert set(values) == set(family.space), family.name
        recipe = family.build(values)
        assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
        if family.name != "network":
            model = fit_recipe(recipe, rows, task, tools=TOOLS, seed=0)
            assert (model.predict(rows) == rows["bought"].to_numpy()).mean() > 0.5


def test_odd_columns_and_a_class_of_six_rows_are_learned_from() -> None:
    random, rows = np.random.default_rng(0), 400
    x = random.normal(size=rows)
    table = pl.DataFrame(
        {
            "row_id": [str(number) for number in range(rows)],
            "x": np.where(np.arange(rows) % 40 == 0, np.inf, x),
            "day": [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(rows)],
            "code": [f"code {n}" for n in random.integers(0, 2000, rows)],
            "mixed": [str(n) if n % 3 else f"n/a {n % 5}" for n in range(rows)],
            "same": ["one"] * rows,
            "grade": np.where(np.arange(rows) < 6, "rare", np.where(x > 0, "up", "down")),
        }
    )
    names = ("x", "day", "code", "mixed", "same")
    classes = tuple(ClassDescription(name=each) for each in ("down", "rare", "up"))
    task = Task(
        kind="multiclass",
        modality="tabular",
        target="grade",
        features=names,
        classes=classes,
        metric="macro_f1",
    )
    wanted = ("linear", "boosting", "neighbours", "forest")
    for family in families_for(Circumstances.of(task, table), wanted):
        model = fit_recipe(family.build(family.defaults[0]), table, task, tools=TOOLS, seed=0)
        found = model.predict(table.with_columns(pl.lit("code new").alias("code")))
        assert (found == table["grade"].to_numpy()).mean() > 0.6, family.name


def test_every_default_of_a_regression_predicts_prices() -> None:
    rows = priced(150)
    for family, values in portfolio(families_for(Circumstances.of(PRICE, rows))):
        if family.name != "network":
            model = fit_recipe(family.build(values), rows, PRICE, tools=TOOLS, seed=0)
            assert np.isfinite(model.predict(rows)).all(), family.name


def test_every_default_of_texts_beats_guessing() -> None:
    rows = newsroom(120)
    for family, values in portfolio(families_for(Circumstances.of(NEWS, rows))):
        model = fit_recipe(family.build(values), rows, NEWS, tools=TOOLS, seed=0)
        assert (model.predict(rows) == rows["topic"].to_numpy()).mean() > 0.5, family.name
    with pytest.raises(InputError, match="no such family"):
        families_for(Circumstances.of(NEWS, rows), ("forest",))


def test_texts_in_many_classes_start_with_a_margin_on_the_recipes_own_words() -> None:
    many = tuple(ClassDescription(name=f"topic {number}") for number in range(6))
    few, line = baseline_recipe(NEWS), baseline_recipe(NEWS.model_copy(update={"classes": many}))
    for classes, recipe, starts in ((NEWS.classes, few, False), (many, line, True)):
        task = NEWS.model_copy(update={"classes": classes, "metric": "accuracy"})
        families = families_for(Circumstances(task, (), 9_000, 0.1))
        first, second = list(first_entrants(Order(), recipe, families, task))[:2]
        assert (first.family == "start") is starts
        if starts:
            assert first.recipe.features == recipe.features
            assert second.recipe == recipe
            assert is_cheap(second, stages(9_000, 5), 1.0, 1)


def test_every_family_of_boosted_trees_has_a_lean_default_for_weak_signals() -> None:
    families = families_for(Circumstances(TASK, ("size", "age", "town"), 900, 0.4))
    for each in families:
        leaves = {"boosting": "max_leaf_nodes", "lightgbm": "num_leaves"}.get(each.name)
        if leaves is not None:
            few, many = sorted(values[leaves] for values in each.defaults)[
                :: len(each.defaults) - 1
            ]
            assert few <= 8 < many


def test_boosted_trees_are_stopped_early_unless_rows_come_in_groups_or_by_time() -> None:
    seen = Circumstances(TASK, ("size", "age", "town"), 900, 0.4)
    wanted = ("boosting", "lightgbm")
    for family in families_for(seen, wanted):
        early = family.build({**family.defaults[0], "stopped": True})
        assert early.estimator.path.endswith("StoppedClassifier")
        assert recipe_from_toml(recipe_to_toml(early)) == early
        labelled = shop(300).with_row_index("row_id").cast({"row_id": pl.String})
        model = fit_recipe(early, labelled, TASK, tools=TOOLS, seed=0)
        assert np.mean(model.predict(labelled) == labelled["bought"].to_numpy()) > 0.7
    for role in ("group", "time"):
        apart = Circumstances(TASK.model_copy(update={role: "town"}), ("size",), 900, 0.4)
        assert all("stopped" not in each.space for each in families_for(apart, wanted))


def test_columns_left_out_take_no_part() -> None:
    seen = Circumstances.of(TASK, shop(), without=("age",))
    family = families_for(seen)[0]
    (feature,) = family.build(family.defaults[0]).features
    assert feature.columns == ("size", "town")  # type: ignore[union-attr]


def test_the_tuner_learns_where_the_score_is_high() -> None:
    families = families_for(Circumstances.of(TASK, shop()), ("linear", "neighbours"))
    tuner = Tuner(families, seed=1)

    def score(name: str, strength: float) -> float:
        return -abs(np.log10(strength) - 1) if name == "linear" else -3.0

    asked = []
    for _ in range(40):
        family, values, handle = tuner.ask()
        assert family.build(values)
        asked.append((family.name, values))
        tuner.tell(family.name, values, score(family.name, values.get("C", 1.0)), handle)
    late = [values["C"] for name, values in asked[20:] if name == "linear"]
    assert np.median(np.abs(np.log10(late) - 1)) < 0.7


def test_stages_grow_by_thirds_and_end_with_every_fold() -> None:
    small, large = stages(4_000, 5), stages(100_000, 5)
    assert [(each.share, each.folds) for each in small] == [(1.0, (4,)), (1.0, (0, 1, 2, 3))]
    assert [each.share for each in large] == pytest.approx([1 / 9, 1 / 3, 1.0, 1.0])


def entrant(number: int, score: float, found: np.ndarray | None = None, **more: object) -> Entrant:
    defaults = {"family": f"family{number}", "complexity": 2, "state": "finished"} | more
    recipe = baseline_recipe(TASK).with_parameters(C=float(number + 1))
    return Entrant(  # type: ignore[arg-type]
        number=number,
        origin="tpe",
        recipe=recipe,
        values={},
        scores=[score],
        found=found,
        **defaults,
    )


def test_the_best_third_of_a_stage_goes_on() -> None:
    waiting = [entrant(n, float(n), state="waiting") for n in range(6)]
    first = promoted(waiting, last=1)
    assert first is waiting[5]
    first.state, first.stage = "running", 1
    second = promoted(waiting, last=1)
    assert second is waiting[4]
    second.state, second.stage = "running", 1
    assert promoted(waiting, last=1) is None


def noisy(rows: pl.DataFrame, noise: float, seed: int) -> np.ndarray:
    """Return probabilities that know the answer under some noise."""
    random = np.random.default_rng(seed)
    signal = np.where(rows["bought"] == "yes", 1.0, -1.0) + noise * random.normal(size=rows.height)
    positive = 1 / (1 + np.exp(-2 * signal))
    return np.column_stack([1 - positive, positive])


def test_a_blend_of_independent_errors_beats_each_and_leaves_noise_out() -> None:
    rows = shop(2_000)
    task = TASK.model_copy(update={"metric": "log_loss"})
    scorer = Scorer(rows, task)
    everything = np.arange(rows.height)
    made = [noisy(rows, 1.2, 1), noisy(rows, 1.2, 2), noisy(rows, 40.0, 3)]
    entrants = [entrant(n, scorer.score(everything, f), f) for n, f in enumerate(made)]
    blend = blended(entrants, scorer)
    assert blend is not None
    assert {each.number for _, each in blend.members} == {0, 1}
    assert blend.score > max(each.score for each in entrants)
    assert sum(weight for weight, _ in blend.members) == pytest.approx(1)
    assert len(blend.recipe.members) == 2
    choice = choose(entrants, blend, scorer)
    assert choice is not None
    assert choice.name == "blend"
    for each in entrants:
        each.fit_seconds = 2.0
    assert blended(entrants, scorer, seconds=3.0) is None, "there is no time for two"


def test_the_simplest_within_one_standard_error_is_chosen() -> None:
    rows = shop(600)
    scorer = Scorer(rows, TASK)
    everything = np.arange(rows.height)
    best = noisy(rows, 1.0, 1)
    near, bad = best.copy(), noisy(rows, 3.0, 4)
    right = np.flatnonzero((best[:, 1] > 0.5) == (rows["bought"] == "yes").to_numpy())
    wrong = np.setdiff1d(everything, right)
    near[right[:6]], near[wrong[:5]] = near[right[:6], ::-1], near[wrong[:5], ::-1]
    entrants = [
        entrant(0, scorer.score(everything, best), best, complexity=3),
        entrant(1, scorer.score(everything, near), near, complexity=1),
        entrant(2, scorer.score(everything, bad), bad, complexity=1),
    ]
    choice = choose(entrants, None, scorer)
    assert choice is not None
    assert choice.number == 1
    assert "one standard error" in choice.why
    far = choose([entrants[0], entrants[2]], None, scorer)
    assert far is not None
    assert far.number == 0
    assert choose([], None, scorer) is None


def test_many_rows_are_sampled_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circumspection, "MOST_ROWS", 150)
    made = Project.create(tmp_path / "shop", shop(600), target="bought")
    with made.gateway() as gateway:
        seen = circumspection.look(made, Order(), Tools.of(made.ledger(), gateway))
    assert seen.sampled == seen.rows.height == 150
    assert "150 of 450 rows" in seen.notes[0]
    assert "built on all" in seen.notes[0]


@pytest.mark.parametrize("large", [0.05, 0.5], ids=["alike", "half in one"])
def test_rows_of_few_groups_are_sampled_without_losing_the_groups(
    large: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circumspection, "MOST_ROWS", 50)
    place = pl.int_range(pl.len()) / pl.len()
    shop_of = ((place - large).clip(0) * 19 / (1 - large)).ceil().cast(pl.Int64).cast(pl.String)
    made = Project.create(
        tmp_path / "shop", shop(1600).with_columns(shop=shop_of), target="bought", group="shop"
    )
    with made.gateway() as gateway:
        seen = circumspection.look(made, Order(), Tools.of(made.ledger(), gateway))
    assert seen.sampled == seen.rows.height == 50
    assert len(splits(seen.rows, made.task, seed=1)) == FOLDS * REPEATS


@pytest.mark.parametrize(("metric", "decides"), [("macro_f1", True), ("cost_1_20", False)])
def test_a_search_starts_from_a_recipes_decision_unless_costs_overrule_it(
    metric: str, decides: bool, tmp_path: Path
) -> None:
    made = Project.create(tmp_path / "shop", shop(600), target="bought", metric=metric)
    made.save_recipe(made.recipe.with_threshold("macro_f1"))
    with made.gateway() as gateway:
        tools = Tools.of(made.ledger(), gateway)
        seen = circumspection.look(Project.open(made.path), Order(), tools)
    assert (seen.baseline.decision is not None) is decides
    assert any("is not read" in each for each in seen.notes) is not decides
    for name, kept in (("svm.LinearSVC", False), ("linear_model.LogisticRegression", decides)):
        own = own_model(seen.baseline, Estimator(path=f"sklearn.{name}"), made.task)
        assert (own.decision is not None) is kept, "it takes probabilities"


@pytest.mark.parametrize("time", [None, "age"])
def test_folds_by_time_are_not_told_to_be_fresher_than_they_are(time: str | None) -> None:
    nothing = dict.fromkeys(each.name for each in fields(ExperimentResult))
    figure = Evidence("accuracy", 0.8, Interval(0.7, 0.9), n=450, method="cross-validation")
    task = TASK.model_copy(update={"time": time})
    found = {"task": task, "standings": (), "claimed": figure, "screened": figure}
    caution = tell(ExperimentResult(**nothing | found)).caution  # type: ignore[arg-type]
    assert ("the same rows" in caution) is (time is not None)
