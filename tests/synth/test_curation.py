from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.evidence import Vault
from assay.ledger import Ledger
from assay.synth.constraints import Between, mine_constraints
from assay.synth.curation import (
    ConsistentLabels,
    Harmless,
    Learnable,
    NoCopies,
    WellFormed,
    curated_rows,
    learning,
    repeats_locked,
    sift_all,
    told_apart,
)
from assay.synth.curation.remembered import NotRemembered
from assay.synth.privacy.memory import close_rows
from assay.synth.spec import Order
from assay.synth.tabular import made_rows
from assay.task import ClassDescription, Task
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.tables_made_up import FEATURES, TASK, customers

FILTERS = (WellFormed(), NoCopies(), ConsistentLabels(), Learnable(), Harmless())


def order(rows: pl.DataFrame, class_name: str | None = "rare", task: Task = TASK) -> Order:
    return Order(task=task, rows=rows, class_name=class_name, count=40, seed=0)


def as_made(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows as a generator returns them."""
    return rows.drop("row_id").with_columns(
        made_from=pl.lit(None, pl.String),
        made_by=pl.lit("test"),
        synthetic_id=pl.int_range(pl.len()).cast(pl.String),
    )


def points(n: int, seed: int, apart: float = 3.0) -> pl.DataFrame:
    """Two classes of points; the rare one lies ``apart`` to the right."""
    random = np.random.default_rng(seed)
    rare = np.arange(n) % 4 == 0
    table = random.normal(size=(n, 3)) + np.outer(rare, [apart, 0, 0])
    return pl.DataFrame(table, schema=list("xyz")).with_columns(
        pl.Series("row_id", [f"r{i}" for i in range(n)]),
        pl.Series("class", np.where(rare, "rare", "common")),
    )


POINTS = TASK.model_copy(update={"features": ("x", "y", "z")})


@pytest.mark.parametrize("each", FILTERS, ids=lambda each: each.name)
def test_no_row_is_lost_none_is_invented_and_none_at_all_is_fine(each):
    rows = customers()
    made = made_rows(rows, TASK, method="copula", class_name="rare", count=50, seed=0)
    result = each.sift(made, order(rows))
    ids = [*result.kept["synthetic_id"], *result.dropped["synthetic_id"]]
    assert sorted(ids) == sorted(made["synthetic_id"])
    assert result.kept.columns == made.columns
    assert result.dropped["why"].null_count() == 0
    assert each.sift(made.head(0), order(rows)).kept.is_empty()


def test_what_is_wrong_with_a_row_is_said_and_counted():
    rows = customers()
    good = made_rows(rows, TASK, method="forest", class_name="rare", count=30, seed=0)
    text = good.with_columns(pl.col("age").cast(pl.String))
    bad = text.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit("old")).otherwise("age").alias("age"),
        pl.when(pl.int_range(pl.len()) == 1).then(pl.lit("common")).otherwise("class")
        .alias("class"),
    )  # fmt: skip
    sifted, counts = sift_all(bad, order(rows), (WellFormed(), NoCopies()))
    assert counts[0].why == {"age is no Int64": 1, "not of the class that was asked for": 1}
    assert (counts[0].before, counts[0].after) == (30, 28)
    assert sifted.schema["age"] == pl.Int64


def test_a_broken_constraint_is_the_reason():
    rows = customers()
    made = as_made(rows.filter(pl.col("class") == "rare"))
    rule = Between(column="age", high=50)
    dropped = WellFormed([rule]).sift(made, order(rows)).dropped
    assert set(dropped["why"]) == {"age is at most 50"}
    assert dropped["age"].min() == 51
    mined = mine_constraints(rows, FEATURES)
    assert WellFormed(mined).sift(made, order(rows)).dropped.is_empty()


def test_copies_in_a_table_are_told_from_neighbours():
    rows = points(200, 0)
    rare = rows.filter(pl.col("class") == "rare")
    made = as_made(
        pl.concat(
            [
                rare.head(3),
                rare[3:6].with_columns(pl.col("x") + 0.001),
                rare[6:9].with_columns(pl.col("x") + 0.3),
                rare[6:7].with_columns(pl.col("x") + 0.3001),
            ]
        )
    )
    result = NoCopies().sift(made, order(rows, task=POINTS))
    assert result.dropped["why"].to_list() == ["repeats a search row"] * 6 + ["repeats a made row"]
    assert result.kept.height == 3


def test_an_empty_cell_is_equal_to_an_empty_cell_alone():
    rows = customers()
    gaps = rows.filter(pl.col("income").is_null() & (pl.col("class") == "rare"))
    filled = gaps.with_columns(income=pl.lit(40_000.0))
    result = NoCopies().sift(as_made(pl.concat([gaps, filled])), order(rows))
    assert set(result.kept["income"]) == {40_000.0}
    assert result.dropped.height == gaps.height


def test_copies_in_a_table_of_few_categories_are_told_without_comparing_all_pairs():
    """30,000 rows alike have 450 million pairs."""
    task = TASK.model_copy(update={"features": ("region", "member")})
    rows = customers().select("row_id", "region", "member", "class")
    new = pl.DataFrame({"region": ["east"] * 30_000, "member": [True] * 30_000, "class": "rare"})
    made = as_made(new.with_columns(row_id=pl.lit("")))
    result = NoCopies().sift(made, order(rows, task=task))
    assert result.kept["synthetic_id"].to_list() == ["0"]
    assert set(result.dropped["why"]) == {"repeats a made row"}


def test_the_later_of_rows_near_each_other_is_dropped():
    rows = points(60, 0)
    base = pl.DataFrame({"x": [9.0, 5.0, 9.001, 9.0, 5.002, 7.0], "y": 40.0, "z": 40.0})
    made = as_made(base.with_columns(pl.lit("rare").alias("class"), row_id=pl.lit("")))
    kept = NoCopies().sift(made, order(rows, task=POINTS)).kept
    assert kept["synthetic_id"].to_list() == ["0", "1", "5"]


def test_copies_of_texts_are_found_under_other_case_and_spacing():
    rows = newsroom(60, seed=0)
    real = rows.filter(pl.col("topic") == "farm")
    new = newsroom(200, seed=9).filter(pl.col("topic") == "farm").head(4)
    made = pl.concat([real.head(2).with_columns(pl.col("text").str.to_uppercase() + " !"),
                      new, new.head(1)])  # fmt: skip
    result = NoCopies().sift(as_made(made), order(rows, "farm", NEWS))
    assert result.dropped["why"].to_list() == ["repeats a search row"] * 2 + ["repeats a made row"]


def test_the_harness_alone_learns_how_many_copy_a_locked_row(tmp_path):
    locked = customers(100, seed=5)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        vault = Vault.lock(tmp_path / "vault", locked, task=TASK, ledger=ledger)
        made = as_made(pl.concat([locked.head(3), customers(20, seed=6)]))
        (told,) = repeats_locked(made, vault)
        assert told.startswith("3 of 23 rows by the kept method are copies of locked rows")
        assert not list(repeats_locked(as_made(customers(20, seed=6)), vault))


def test_a_label_that_another_class_wears_is_dropped():
    rows = points(300, 1)
    fresh = points(400, 2)
    right = fresh.filter(pl.col("class") == "rare").head(60)
    wrong = fresh.filter(pl.col("class") == "common").head(60)
    made = as_made(pl.concat([right, wrong.with_columns(pl.lit("rare").alias("class"))]))
    result = ConsistentLabels().sift(made, order(rows, task=POINTS))
    ids = result.kept["synthetic_id"].cast(pl.Int64)
    assert (ids < 60).sum() > 45
    assert (ids >= 60).sum() < 10
    assert "looks like common" in set(result.dropped["why"])
    assert all(
        each.startswith(("looks like ", "looks less like ")) for each in result.dropped["why"]
    )


def test_a_made_row_is_judged_by_a_model_that_did_not_see_its_parent():
    """With labels at random a model knows the rows that it saw, and those alone."""
    random = np.random.default_rng(0)
    rows = points(200, 3, apart=0.0).with_columns(
        pl.Series("class", random.choice(["rare", "common"], 200))
    )
    rare = rows.filter(pl.col("class") == "rare")
    copies = as_made(rare).with_columns(made_from=rare["row_id"])
    told = ConsistentLabels().sift(copies, order(rows, task=POINTS)).dropped.height
    untold = copies.with_columns(made_from=pl.lit(None, pl.String))
    seen = ConsistentLabels().sift(untold, order(rows, task=POINTS)).dropped.height
    assert told > seen
    assert told / rare.height == pytest.approx(0.1, abs=0.04)


def test_another_annotator_may_judge():
    rows = points(100, 4)

    def never(table: pl.DataFrame) -> np.ndarray:
        share = (table["x"] > 1).cast(pl.Float64).to_numpy()
        return np.column_stack([1 - share, share])

    fresh = points(200, 5).filter(pl.col("class") == "rare")
    made = as_made(fresh.with_columns(x=pl.lit(-1.0)))
    kept = ConsistentLabels(never).sift(made, order(rows, task=POINTS)).kept
    assert kept.height in (0, made.height)
    assert (
        ConsistentLabels(lambda t: np.tile([0.5, 0.5], (t.height, 1)))
        .sift(made, order(rows, task=POINTS))
        .dropped.is_empty()
    )


@pytest.mark.parametrize("modality", ["table", "text"])
def test_what_is_never_learned_has_low_confidence_and_low_uncertainty(modality):
    if modality == "table":
        task, rows, fresh, own, other = POINTS, points(300, 1), points(400, 2), "rare", "common"
    else:
        task, own, other = NEWS, "farm", "money"
        rows, fresh = (newsroom(240, seed=seed, topical=0.5) for seed in (1, 2))
    target = task.target
    right = fresh.filter(pl.col(target) == own).head(40)
    wrong = fresh.filter(pl.col(target) == other).head(40)
    made = as_made(pl.concat([right, wrong.with_columns(pl.lit(own).alias(target))]))
    confidence, uncertainty = learning(made, order(rows, own, task))
    assert confidence[:40].mean() > 0.6 > 0.3 > confidence[40:].mean()
    assert ((uncertainty >= 0) & (uncertainty <= 0.25)).all()
    result = Learnable().sift(made, order(rows, own, task))
    ids = result.dropped["synthetic_id"].cast(pl.Int64)
    assert (ids < 40).sum() <= 2
    assert (ids >= 40).sum() >= 20


def test_rows_that_no_real_row_resembles_are_told_apart():
    rows, fresh = points(400, 1), points(600, 2).filter(pl.col("class") == "rare")
    like = as_made(fresh.head(60))
    unlike = as_made(fresh[60:120].with_columns(pl.col("y") * 4))
    ordered = order(rows, task=POINTS)
    same, other = told_apart(like, ordered), told_apart(unlike, ordered)
    assert 0.5 in same.interval
    assert other.interval.low > 0.6
    assert other.n == 160
    assert told_apart(like.head(10), ordered) is None


def test_a_harmful_word_is_named_unless_the_class_needs_it():
    classes = (ClassDescription(name="farm"), ClassDescription(name="abuse"))
    task = Task(kind="binary", modality="text", target="topic", text="text", classes=classes)
    rows = pl.DataFrame(
        {"row_id": ["a", "b"], "text": ["wheat rose", "you idiot"], "topic": ["farm", "abuse"]}
    )
    texts = ["Wheat is up.", "You IDIOT, wheat fell", "scrap metal", "please shut up now"]
    made = as_made(pl.DataFrame({"row_id": list("wxyz"), "text": texts, "topic": ["farm"] * 4}))
    dropped = Harmless().sift(made, order(rows, "farm", task)).dropped
    assert dropped["why"].to_list() == ["holds 'idiot'", "holds 'shut up'"]
    assert Harmless().sift(made, order(rows, "abuse", task)).dropped.height == 1
    assert Harmless(("metal",)).sift(made, order(rows, "farm", task)).dropped.height == 1


def test_curated_rows_are_made_in_abundance_and_fewer_are_returned():
    rows = points(200, 1)
    made = curated_rows(rows, POINTS, method="smote", class_name="rare", count=50, seed=0)
    assert 25 < made.height <= 50
    again = curated_rows(rows, POINTS, method="smote", class_name="rare", count=50, seed=0)
    assert made.equals(again)
    assert NoCopies().sift(made, order(rows, task=POINTS)).dropped.is_empty()


def test_rows_nearer_to_a_real_row_than_real_rows_are_to_each_other_are_dropped() -> None:
    real = points(400, seed=0)
    fresh = as_made(points(200, seed=1)).filter(pl.col("class") == "rare")
    shifted = real.filter(pl.col("class") == "rare").with_columns(pl.col("x") + 1e-3)
    made = pl.concat([fresh, as_made(shifted)])
    sifted = NotRemembered().sift(made, order(real, task=POINTS))
    kept = set(sifted.kept["x"])
    assert not kept & set(shifted["x"]), "what was hardly moved is dropped"
    assert len(kept & set(fresh["x"])) > 0.85 * fresh.height
    seen = real.filter(pl.col("class") == "rare")
    assert close_rows(sifted.kept, seen, POINTS).estimate == 0
