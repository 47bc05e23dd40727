"""Which row plays which role: properties that hold for any table."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.tables import VAULT_MINIMUM, VAULT_SHARE, assign_roles
from assay.task import ClassDescription, Task

TASK = Task(
    kind="multiclass",
    modality="text",
    target="y",
    text="text",
    classes=tuple(ClassDescription(name=each) for each in "abc"),
)
REGRESSION = TASK.model_copy(update={"kind": "regression", "classes": (), "metric": "mae"})


def rows(
    labelled: int, empty: int = 0, *, seed: int = 0, texts: int | None = None, groups: int = 40
) -> pl.DataFrame:
    """Return rows in random order; ``texts`` is how many different texts there are."""
    random = np.random.default_rng(seed)
    n = labelled + empty
    labels = [*random.choice(list("aaabbc"), labelled), *[None] * empty]
    different = random.integers(0, texts, n) if texts else random.permutation(n)
    return pl.DataFrame(
        {
            "row_id": [str(each) for each in range(n)],
            "text": [f"text {each}" for each in different],
            "y": labels,
            "who": random.integers(0, groups, n),
            "when": random.integers(0, 50, n),
        },
        schema_overrides={"y": pl.String},
    ).sample(fraction=1, shuffle=True, seed=seed)


def by_id(table: pl.DataFrame, task: Task, seed: int = 0) -> dict[str, str]:
    return dict(zip(table["row_id"], assign_roles(table, task, seed=seed), strict=True))


tables = st.builds(
    rows,
    st.integers(240, 600),
    st.integers(0, 80),
    seed=st.integers(0, 10_000),
    texts=st.one_of(st.none(), st.integers(150, 400)),
)
seeds = st.integers(0, 10_000)
tasks = st.sampled_from(
    [
        TASK,
        TASK.model_copy(update={"group": "who"}),
        TASK.model_copy(update={"time": "when"}),
        TASK.model_copy(update={"group": "who", "time": "when"}),
    ]
)
many = settings(max_examples=40, deadline=None)


@many
@given(table=tables, seed=seeds, task=tasks)
def test_roles_partition_the_rows(table: pl.DataFrame, seed: int, task: Task) -> None:
    try:
        roles = assign_roles(table, task, seed=seed)
    except InputError:  # groups and copies may link almost every row
        assert task.group is not None
        return
    labelled = table["y"].is_not_null()
    assert set(roles.filter(~labelled)) <= {"pool"}
    assert set(roles.filter(labelled)) == {"search", "vault"}
    locked = int((roles == "vault").sum())
    assert locked >= max(VAULT_MINIMUM, round(VAULT_SHARE * int(labelled.sum())))
    assert int((roles == "search").sum()) >= VAULT_MINIMUM


@many
@given(table=tables, seed=seeds, task=tasks)
def test_groups_and_copies_are_never_parted(table: pl.DataFrame, seed: int, task: Task) -> None:
    labelled = table.filter(pl.col("y").is_not_null())
    try:
        roles = assign_roles(labelled, task, seed=seed)
    except InputError:
        return
    for column in ("text", *(["who"] if task.group else [])):
        parted = labelled.with_columns(role=roles).group_by(column).agg(pl.col("role").n_unique())
        assert parted["role"].to_list() == [1] * parted.height


@many
@given(table=tables, seed=seeds, task=tasks)
def test_same_seed_same_roles_whatever_the_order_of_the_rows(
    table: pl.DataFrame, seed: int, task: Task
) -> None:
    try:
        first = by_id(table, task, seed)
    except InputError:
        return
    again = by_id(table.sample(fraction=1, shuffle=True, seed=seed + 1), task, seed)
    assert again == first


@many
@given(table=tables, seed=seeds)
def test_vault_is_the_latest_where_time_decides(table: pl.DataFrame, seed: int) -> None:
    labelled = table.filter(pl.col("y").is_not_null())
    roles = assign_roles(labelled, TASK.model_copy(update={"time": "when"}), seed=seed)
    units = (
        labelled.with_columns(role=roles)
        .group_by("text")
        .agg(pl.col("when").max(), pl.col("role").first())
    )
    latest = dict(units.group_by("role").agg(pl.col("when").max()).iter_rows())
    earliest = dict(units.group_by("role").agg(pl.col("when").min()).iter_rows())
    assert latest["search"] <= earliest["vault"]


@many
@given(labelled=st.integers(200, 900), seed=seeds)
def test_each_class_gives_its_share(labelled: int, seed: int) -> None:
    table = rows(labelled, seed=seed)
    roles = assign_roles(table, TASK, seed=seed)
    size = max(VAULT_MINIMUM, round(VAULT_SHARE * labelled))
    assert (roles == "vault").sum() == size
    for _, group in table.with_columns(role=roles).group_by("y"):
        assert abs((group["role"] == "vault").sum() - size * group.height / labelled) < 1


def test_each_decile_of_a_regression_gives_its_share() -> None:
    values = np.random.default_rng(0).permutation(400).astype(float)
    table = rows(400).with_columns(y=pl.Series(values))
    roles = assign_roles(table, REGRESSION, seed=0)
    deciles = (table["y"] // 40).filter(roles == "vault").value_counts()["count"].to_list()
    assert deciles == [10] * 10


def test_another_seed_draws_another_vault() -> None:
    table = rows(400)
    assert by_id(table, TASK, 0) != by_id(table, TASK, 1)


def test_equal_rows_of_few_valued_columns_are_no_copies() -> None:
    random = np.random.default_rng(0)
    table = pl.DataFrame({"u": random.choice(["p", "q"], 400), "y": random.choice(list("ab"), 400)})
    task = Task(kind="binary", modality="tabular", target="y", features=("u",))
    assert (assign_roles(table, task, seed=0) == "vault").sum() == 100


@pytest.mark.parametrize("labelled", [0, 1, 199])
def test_too_few_labelled_rows_say_how_many_more(labelled: int) -> None:
    with pytest.raises(InputError, match=f"{labelled} labelled rows.*label {200 - labelled} more"):
        assign_roles(rows(labelled, 300), TASK, seed=0)


def test_one_text_everywhere_cannot_be_parted() -> None:
    table = rows(400).with_columns(text=pl.lit("the same"))
    with pytest.raises(InputError, match="share every input are too large"):
        assign_roles(table, TASK, seed=0)


@pytest.mark.parametrize("role", ["group", "time"])
def test_labelled_rows_without_group_or_time_are_refused(role: str) -> None:
    column = {"group": "who", "time": "when"}[role]
    table = rows(300, 50).with_columns(
        pl.when(pl.int_range(pl.len()) % 3 > 0).then(column).alias(column)
    )
    with pytest.raises(InputError, match=f"{role} column '{column}' is empty.*--{role}"):
        assign_roles(table, TASK.model_copy(update={role: column}), seed=0)
