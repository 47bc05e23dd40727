from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.evidence import decide
from assay.ledger import Ledger
from assay.recipe import (
    Mended,
    Recipe,
    Tfidf,
    Tools,
    baseline_recipe,
    recipe_from_toml,
    recipe_to_toml,
    run_trial,
    training_rows,
)
from assay.recipe.confident import by_neighbours, confident_joint, doubts, expected_errors
from assay.task import Task
from newsroom import TASK, newsroom

WORDS = Tfidf(column="text")
NAMES = TASK.class_names


def unused(*_: object) -> pl.DataFrame:
    raise AssertionError("nothing is read or embedded")


TOOLS = Tools(unused, unused)  # type: ignore[arg-type]


def mending(action: str, recipe: Recipe | None = None) -> Recipe:
    recipe = baseline_recipe(TASK) if recipe is None else recipe
    mended = Mended(features=(WORDS,), action=action)  # type: ignore[arg-type]
    return recipe.model_copy(update={"rows": recipe.rows.model_copy(update={"mended": (mended,)})})


def with_flips(rows: pl.DataFrame, share: float, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Return rows of which a share has the next topic, and which they are."""
    flipped = np.random.default_rng(seed).random(rows.height) < share
    topics = [
        NAMES[(NAMES.index(topic) + 1) % 3] if flip else topic
        for topic, flip in zip(rows["topic"], flipped, strict=True)
    ]
    return rows.with_columns(topic=pl.Series(topics)), flipped


def test_planted_flips_are_dropped_and_relabelled() -> None:
    clean = newsroom(300, seed=1, topical=0.6)
    rows, flipped = with_flips(clean, 0.15, seed=2)
    kept = training_rows(mending("drop"), rows, TASK, TOOLS, seed=0).rows
    mended = training_rows(mending("relabel"), rows, TASK, TOOLS, seed=0).rows
    assert abs((300 - kept.height) - flipped.sum()) < 20
    right = (mended["topic"] == clean["topic"]).mean()
    assert right > 0.95 > (rows["topic"] == clean["topic"]).mean()
    assert mended.schema == kept.schema


def test_a_judged_label_has_no_part_in_mending_the_rows_that_judge_it() -> None:
    rows, _ = with_flips(newsroom(120, seed=3, topical=0.5), 0.2, seed=4)
    other = rows.with_columns(
        topic=pl.when(pl.int_range(pl.len()) >= 90).then(pl.lit("farm")).otherwise("topic")
    )
    for action in ("drop", "relabel"):
        some, same = (
            training_rows(mending(action), each.head(90), TASK, TOOLS, 0, judged=each.tail(30))
            for each in (rows, other)
        )
        assert some.rows.equals(same.rows)


def near_copies_with_random_labels(seed: int) -> pl.DataFrame:
    """Return pairs of near copies whose labels are drawn by lot: nothing can be learned."""
    random = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(400)]
    texts = [" ".join(random.choice(words, 6)) for _ in range(60)]
    both = [f"{text} {side}" for text in texts for side in ("one", "two")]
    topics = random.choice(list(NAMES), len(both)).tolist()
    ids = [str(number) for number in range(len(both))]
    return pl.DataFrame({"row_id": ids, "text": both, "topic": topics})


@pytest.mark.slow
def test_on_labels_drawn_by_lot_mending_is_kept_no_more_often_than_nominal(tmp_path: Path) -> None:
    kept, leaking = 0, 0
    before = baseline_recipe(TASK).with_parameters(C=100.0)
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        tools = Tools(ledger.read_table, unused)  # type: ignore[arg-type]
        for seed in range(6):
            rows = near_copies_with_random_labels(seed)
            partner = rows["topic"].to_numpy().reshape(-1, 2)[:, ::-1].ravel()
            once = rows.select("row_id", topic=pl.Series(partner.tolist()))
            listed = before.rows.model_copy(
                update={"relabelled": (ledger.put_table(once, name="r"),)}
            )
            recipes = [
                mending("relabel", before),
                mending("drop", before),
                before.model_copy(update={"rows": listed}),
            ]
            decisions = [
                decide(
                    run_trial(
                        before, each, rows, TASK, tools=tools, seed=seed, folds=3, repeats=1
                    ).gain
                )
                for each in recipes
            ]
            kept += decisions[0].kept + decisions[1].kept
            leaking += decisions[2].kept
    assert kept <= 3, "12 useless edits at 5 %: more than 3 has a chance of 0.2 %"
    assert leaking >= 5, "a list made once from all rows passes the gate: it knows judged labels"


def test_the_recipe_reads_back_and_older_recipes_keep_their_hash() -> None:
    recipe = mending("relabel")
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    assert "mended" not in recipe_to_toml(baseline_recipe(TASK))
    assert recipe.hash != mending("drop").hash != baseline_recipe(TASK).hash


def test_few_rows_and_one_class_stay_and_a_regression_is_refused() -> None:
    few = newsroom(12, seed=5)
    assert training_rows(mending("drop"), few, TASK, TOOLS, seed=0).rows.height == 12
    one = newsroom(60, seed=5).with_columns(topic=pl.lit("farm"))
    assert training_rows(mending("drop"), one, TASK, TOOLS, seed=0).rows.height == 60
    task = Task(kind="regression", modality="text", target="y", text="text", metric="mae")
    rows = newsroom(30).with_columns(y=pl.lit(1.0))
    with pytest.raises(InputError, match="no classes"):
        training_rows(mending("drop"), rows, task, TOOLS, seed=0)


def test_the_joint_of_a_sure_model_counts_the_flips() -> None:
    truth = np.arange(300) % 3
    given = np.where(np.arange(300) < 30, (truth + 1) % 3, truth)
    shares = np.eye(3)[truth] * 0.94 + 0.02
    joint = confident_joint(shares, given)
    assert expected_errors(shares, given) == pytest.approx(30)
    np.testing.assert_allclose(joint.sum(axis=1), np.bincount(given))
    found = doubts(shares, given)
    np.testing.assert_array_equal(np.flatnonzero(found.flagged), np.arange(30))
    np.testing.assert_array_equal(found.suggested[:30], truth[:30])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 80))
def test_any_shares_give_a_ranking_and_a_count_within_bounds(seed: int, k: int, n: int) -> None:
    random = np.random.default_rng(seed)
    shares, labels = random.dirichlet(np.full(k, 0.3), n), random.integers(k, size=n)
    found = doubts(shares, labels)
    assert (found.suggested != labels).all()
    assert 0 <= found.expected <= n + 1e-9
    assert found.flagged.sum() <= n
    assert (found.doubt[found.flagged] > 0).all()
    order = np.argsort(-found.doubt, kind="stable")
    if found.flagged.any():
        assert found.doubt[found.flagged].min() >= found.doubt[order[found.flagged.sum() - 1]]


def test_a_row_is_no_witness_to_its_own_label() -> None:
    random = np.random.default_rng(0)
    matrix, labels = random.normal(size=(60, 8)), np.arange(60) % 2
    changed = labels.copy()
    changed[7] = 1 - changed[7]
    one, other = (by_neighbours(matrix, each, 2) for each in (labels, changed))
    assert abs(one[7] - other[7]).max() < 0.001, "only the smoothing by class counts moves"
    near_7 = np.abs(one - other).max(axis=1) > 0.01
    assert near_7.any()
