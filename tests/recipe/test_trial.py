from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.recipe import (
    Recipe,
    Rows,
    Split,
    Tools,
    baseline_recipe,
    out_of_fold,
    run_trial,
    splits,
    training_rows,
)
from newsroom import TASK, newsroom

NO_TOOLS = Tools(read_table=lambda name: TABLES[name], embed=lambda *_, **__: np.empty(0))
SEARCH = newsroom(240, seed=5)
BASELINE = baseline_recipe(TASK)
SHUFFLED = SEARCH.select("row_id", pl.col("topic").shuffle(seed=1))
TABLES = {
    "shuffled": SHUFFLED.head(200),
    "copies": SEARCH.select("text", "topic"),
    "reworded": SEARCH.select(
        pl.format("{} indeed", "text").alias("text"), "topic", made_from="row_id"
    ),
}


@given(
    rows=st.integers(20, 60), groups=st.integers(5, 12), seed=st.integers(0, 9), time=st.booleans()
)
@settings(max_examples=30, deadline=None)
def test_splits_keep_groups_together_and_time_in_order(
    rows: int, groups: int, seed: int, time: bool
) -> None:
    random = np.random.default_rng(seed)
    table = newsroom(rows, seed).with_columns(
        writer=pl.Series([str(number % groups) for number in range(rows)]),
        day=pl.Series(random.permutation(rows)),
    )
    task = TASK.model_copy(
        update={"group": None if time else "writer", "time": "day" if time else None}
    )
    found = splits(table, task, seed=seed)
    for split in found:
        assert not set(split.train) & set(split.test)
        train, test = table[split.train], table[split.test]
        if time:
            assert train.height
            assert train["day"].max() < test["day"].min()  # type: ignore[operator]
        else:
            assert not set(train["writer"]) & set(test["writer"])
    early = [] if not time else table["day"].arg_sort().to_list()[: rows - 5 * (rows // 6)]
    for repeat in range(1 if time else 3):
        judged = np.concatenate([each.test for each in found if each.repeat == repeat])
        assert sorted(judged) == sorted(set(range(rows)) - set(early))


@pytest.mark.parametrize("time", [None, "day"])
def test_seeds_draw_different_folds_and_the_same_seed_the_same(time: str | None) -> None:
    rows = SEARCH.with_row_index("day")
    task = TASK.model_copy(update={"time": time})

    def folds(seed: int) -> list[list[int]]:
        return [each.test.tolist() for each in splits(rows, task, seed=seed)]

    assert folds(1) == folds(1)
    assert folds(1) != folds(2)
    assert folds(1)[:5] != folds(1)[5:10]


def test_too_few_rows_for_the_folds() -> None:
    with pytest.raises(InputError, match="at least 5 different rows"):
        splits(SEARCH.head(3), TASK, seed=0)


def test_a_recipe_against_itself_gains_exactly_nothing() -> None:
    trial = run_trial(BASELINE, BASELINE, SEARCH, TASK, tools=NO_TOOLS, seed=0)
    assert trial.gain.estimate == 0
    assert trial.before.estimate == trial.after.estimate
    assert trial.gain.n == 240


def test_shuffled_labels_lose_and_the_trial_says_so() -> None:
    harmed = BASELINE.model_copy(update={"rows": Rows(relabelled=("shuffled",))})
    trial = run_trial(BASELINE, harmed, SEARCH, TASK, tools=NO_TOOLS, seed=0)
    assert trial.gain.interval.high < 0
    assert trial.gain.p_value is not None
    assert trial.gain.p_value > 0.95


def test_edits_of_the_rows_never_touch_the_rows_that_judge() -> None:
    """A recipe that relabels every row is still judged by the true labels."""
    everything = BASELINE.model_copy(update={"rows": Rows(relabelled=("shuffled",))})
    found = splits(SEARCH, TASK, seed=0, repeats=1)
    (predicted,) = out_of_fold([everything], SEARCH, TASK, found, tools=NO_TOOLS, seed=0)
    trial = run_trial(everything, everything, SEARCH, TASK, tools=NO_TOOLS, seed=0, repeats=1)
    labels = np.asarray(TASK.class_names)[predicted.predictions[0].argmax(axis=1)]
    assert trial.before.estimate == pytest.approx(np.mean(labels == SEARCH["topic"].to_numpy()))


def test_every_fit_is_told() -> None:
    told: list[tuple[int, int]] = []
    run_trial(
        BASELINE,
        BASELINE,
        SEARCH.head(60),
        TASK,
        tools=NO_TOOLS,
        seed=0,
        repeats=1,
        step=lambda done, total: told.append((done, total)),
    )
    assert told == [(number, 10) for number in range(2, 11, 2)]


def test_a_split_is_what_it_says() -> None:
    first = splits(SEARCH, TASK, seed=0)[0]
    assert isinstance(first, Split)
    assert (first.repeat, first.fold) == (0, 0)
    assert len(first.train) + len(first.test) == 240


@pytest.mark.parametrize("extra", ["copies", "reworded"])
def test_extra_rows_made_from_a_judged_row_stay_out_of_its_fold(extra: str) -> None:
    """A memorising model would be right on every row whose copy it was trained on."""
    memory = BASELINE.with_estimator("sklearn.neighbors.KNeighborsClassifier", n_neighbors=1)
    with_copies = memory.model_copy(update={"rows": Rows(extra=(extra,))})
    trial = run_trial(memory, with_copies, SEARCH, TASK, tools=NO_TOOLS, seed=0, repeats=1)
    assert trial.after.estimate < 0.95
    assert abs(trial.gain.estimate) < 0.05


@pytest.mark.parametrize("origin", ["made_from", "shown"])
def test_under_a_time_split_no_row_made_from_a_later_one_trains_a_fold(origin: str) -> None:
    timed = TASK.model_copy(update={"time": "day"})
    rows = SEARCH.with_columns(day=pl.Series(range(240)))
    source = pl.concat_list("row_id") if origin == "shown" else pl.col("row_id")
    made = rows.select(
        pl.format("made on day {}", "day").alias("text"), "topic", source.alias(origin)
    )
    tools = Tools(read_table=lambda name: made, embed=lambda *_, **__: np.empty(0))
    recipe = BASELINE.model_copy(update={"rows": Rows(extra=("made",))})
    for split in splits(rows, timed, seed=0):
        train, judged = rows[split.train], rows[split.test]
        trained = training_rows(recipe, train, timed, tools, 0, judged).rows["text"]
        days = trained.str.extract(r"^made on day (\d+)$").drop_nulls().cast(pl.Int64)
        assert set(days) == set(train["day"])


@pytest.mark.parametrize("kind", ["plain", "grouped", "timed", "regression"])
def test_copies_never_judge_each_other(kind: str) -> None:
    rows = SEARCH.head(100).with_columns(
        writer=pl.Series([str(number % 30) for number in range(100)]),
        day=pl.Series(range(100)),
        length=pl.col("text").str.len_chars().cast(pl.Float64),
    )
    rows = pl.concat([rows, rows.with_columns(row_id=pl.format("copy {}", "row_id"))])
    changes = {
        "plain": {},
        "grouped": {"group": "writer"},
        "timed": {"time": "day"},
        "regression": {"kind": "regression", "target": "length", "classes": (), "metric": "mae"},
    }
    task = TASK.model_copy(update=changes[kind])
    found = splits(rows, task, seed=0)
    for split in found:
        assert not set(rows[split.train]["text"]) & set(rows[split.test]["text"])
    if kind != "timed":
        judged = np.concatenate([each.test for each in found if each.repeat == 1])
        assert sorted(judged) == list(range(200))
        sizes = [len(each.test) for each in found]
        assert max(sizes) <= 2 * min(sizes)


def test_a_memory_gains_nothing_from_copies_in_the_search_rows() -> None:
    """One nearest neighbour would be right on every row whose copy it was trained on."""
    random = SEARCH.with_columns(pl.col("topic").shuffle(seed=3))
    rows = pl.concat([random, random.with_columns(row_id=pl.format("copy {}", "row_id"))])
    memory = BASELINE.with_estimator("sklearn.neighbors.KNeighborsClassifier", n_neighbors=1)
    trial = run_trial(memory, memory, rows, TASK, tools=NO_TOOLS, seed=0, repeats=1)
    assert trial.before.estimate < 0.5


def test_without_copies_folds_are_scikit_learns_own() -> None:
    from sklearn.model_selection import StratifiedKFold

    from assay.seeds import derive_seed

    rows = SEARCH.unique("text", maintain_order=True)
    split = StratifiedKFold(5, shuffle=True, random_state=derive_seed(4, "split", 0)).split(
        rows, rows["topic"].to_numpy()
    )
    own = splits(rows, TASK, seed=4)
    for (train, test), each in zip(split, own, strict=False):
        assert each.train.tolist() == train.tolist()
        assert each.test.tolist() == test.tolist()


def test_classes_too_small_for_the_folds_are_told() -> None:
    few = pl.DataFrame(
        {"row_id": list("abcdef"), "text": list("abcdef"), "topic": ["farm"] * 3 + ["sport"] * 3}
    )
    with pytest.raises(InputError, match="at least 5 rows of one class"):
        splits(few, TASK, seed=0)


def test_a_fold_that_trains_on_one_class_is_told() -> None:
    """A class that lies in one group is absent when that group judges."""
    rows = SEARCH.filter(pl.col("topic") != "farm").with_columns(
        writer=pl.when(pl.col("topic") == "sport").then(pl.lit("one")).otherwise("row_id")
    )
    task = TASK.model_copy(update={"group": "writer", "classes": TASK.classes[1:]})
    with pytest.raises(InputError, match=r"one class only.*money.*more groups of 'writer'"):
        run_trial(BASELINE, BASELINE, rows, task, tools=NO_TOOLS, seed=0)


@pytest.mark.slow
def test_folds_in_other_processes_give_the_same_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from assay.recipe import trial

    found = splits(SEARCH, TASK, seed=0)[:3]
    real, here = trial.fit_recipe, []

    def judged() -> np.ndarray:
        here.clear()
        return out_of_fold([BASELINE], SEARCH, TASK, found, tools=NO_TOOLS, seed=0)[0].predictions

    def told(*given: object, **named: object) -> object:
        here.append(named)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "fit_recipe", told)
    alone = judged()
    assert len(here) == 3
    monkeypatch.setenv("ASSAY_WORKERS", "2")
    monkeypatch.setattr("assay.engine.local.WORTH_SECONDS", 0.0)
    np.testing.assert_array_equal(judged(), alone)
    assert len(here) == 1, "the first is timed in this process, the others ran elsewhere"


def test_a_fold_that_judges_one_class_is_no_trouble() -> None:
    """Only the predictions of all folds together are judged."""
    rows = SEARCH.filter(pl.col("topic") != "farm").with_columns(
        writer=pl.format("{}{}", "topic", pl.int_range(pl.len()) % 3)
    )
    changes = {"group": "writer", "classes": TASK.classes[1:], "metric": "auc", "kind": "binary"}
    task = TASK.model_copy(update=changes)
    found = splits(rows, task, seed=0, repeats=1)
    assert any(rows[each.test]["topic"].n_unique() == 1 for each in found)
    judged = out_of_fold([BASELINE], rows, task, found, tools=NO_TOOLS, seed=0)
    assert len(judged[0].rows) == rows.height


def test_recipes_alike_but_for_their_rarity_are_fitted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from assay.recipe import trial

    fits: list[float] = []
    real = trial.fit_recipe

    def counted(recipe: Recipe, *given: object, **named: object) -> object:
        fits.append(recipe.rarity)
        return real(recipe, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "fit_recipe", counted)
    monkeypatch.setattr(trial, "run_jobs", lambda judge, jobs, **_: map(judge, jobs))
    task = TASK.model_copy(update={"metric": "log_loss"})
    moved = BASELINE.model_copy(update={"rarity": 1.0})
    found = splits(SEARCH, task, seed=0)[:2]

    def judged(*recipes: Recipe) -> list[np.ndarray]:
        given = {"tools": NO_TOOLS, "seed": 0}
        return [each.predictions[0] for each in out_of_fold(recipes, SEARCH, task, found, **given)]

    together = judged(BASELINE, moved)
    assert fits == [0.0, 0.0]
    assert not np.allclose(*together)
    np.testing.assert_array_equal(together[1], judged(moved)[0])
