"""Rows under differential privacy: what they spend, what they keep, and what they hide."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project, synthesize
from assay.errors import InputError
from assay.ledger import Ledger
from assay.project.settings import Synth
from assay.recipe import Made, Tools, baseline_recipe, training_rows
from assay.synth.constraints import constraints_from_toml
from assay.synth.lacking import chosen_scope
from assay.synth.methods import making_parameters
from assay.synth.private import OpenDPNoise, SeededNoise, private_rows
from assay.synth.private.cells import Cells, as_numbers, cut
from assay.synth.private.noise import Noise, threshold
from assay.synth.private.tree import NoisyTree
from assay.synth.release import NOT_COVERED, release
from assay.synth.report import render_html
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.stated_gate import keep
from synth.tables_made_up import TASK, customers

RANGES = {"age": (18, 90), "income": (-50_000, 150_000), "opened": ("2015-01-01", "2025-01-01")}
NOISES = [pytest.param(OpenDPNoise, id="opendp"), pytest.param(lambda: SeededNoise(0), id="seeded")]


@pytest.mark.parametrize("noise", NOISES)
def test_no_more_is_spent_than_allowed(noise: type[Noise]) -> None:
    used = noise()
    made = private_rows(
        customers(2000), TASK, class_name=None, count=300, seed=0, epsilon=2.0, delta=1e-5,
        ranges=RANGES, noise=used,
    )  # fmt: skip
    assert made.height == 300
    assert 1.5 < used.epsilon <= 2.0 + 1e-9
    assert 0 < used.delta <= 1e-5
    assert set(made["class"]) <= {"rare", "common"}
    assert made.select(TASK.inputs).schema == customers(10).select(TASK.inputs).schema


def test_public_ranges_spend_nothing() -> None:
    noise = SeededNoise(0)
    ages = pl.Series("age", [20, 30, None, 90])
    cells = cut(ages, noise, epsilon=1.0, delta=1e-6, public=(18, 90))
    levels = cut(pl.Series("r", ["a", "b"]), noise, epsilon=1.0, delta=1e-6, public=("a", "b", "c"))
    assert noise.epsilon == noise.delta == 0
    assert (cells.edges[0], cells.edges[-1], levels.levels) == (18, 90, ("a", "b", "c"))
    assert cells.codes(ages).tolist() == [0, 2, 16, 15]


def test_a_value_that_one_row_holds_is_no_level() -> None:
    held = pl.Series("name", ["often"] * 500 + ["only one"])
    found = [cut(held, SeededNoise(seed), epsilon=1.0, delta=1e-6).levels for seed in range(200)]
    assert set(found) == {("often",)}


@pytest.mark.parametrize("given", [None, (90, 18), ("a", "b"), (1,)])
def test_the_range_of_numbers_must_be_public(given: tuple[object, ...] | None) -> None:
    with pytest.raises(InputError, match="must be public"):
        cut(pl.Series("age", [1, 2]), SeededNoise(0), epsilon=1.0, delta=0.1, public=given)


@pytest.mark.parametrize("noise", NOISES)
def test_looks_at_neighbouring_tables_differ_by_no_more_than_epsilon(noise: type[Noise]) -> None:
    """The definition itself, on the event that a count of 10 or of 11 reads as at least 12."""
    epsilon, draws = 1.0, 20_000
    seen = [
        noise().counts(np.full(draws, held, dtype=np.int64), epsilon) >= 12 for held in (10, 11)
    ]
    one, two = (each.mean() for each in seen)
    error = 6 * (1 + math.exp(epsilon)) * math.sqrt(0.25 / draws)  # OpenDP's noise has no seed
    assert two <= math.exp(epsilon) * one + error
    assert one < two, "the table with one row more reads higher more often"
    assert two > 1.5 * one, "no more noise than is needed"


def test_a_value_of_one_row_shows_with_chance_below_delta() -> None:
    bar = threshold(1.0, 0.01)
    noise = SeededNoise(3)
    shown = (noise.counts(np.ones(100_000, dtype=np.int64), 1.0) >= bar).mean()
    assert shown < 0.01


def test_dependent_columns_stay_dependent_where_rows_are_many() -> None:
    random = np.random.default_rng(0)
    one = random.integers(0, 3, 20_000)
    codes = np.column_stack([one, random.integers(0, 3, 20_000), (one + 1) % 3])
    tree = NoisyTree(codes, [3, 3, 3], SeededNoise(0), single=0.2, choice=0.2, pair=0.4)
    drawn = tree.draw(5000, np.random.default_rng(1))
    assert ((drawn[:, 0] + 1) % 3 == drawn[:, 2]).mean() > 0.98
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.06


def test_cells_return_to_values_of_their_type() -> None:
    table = customers(200, gaps=False)
    random = np.random.default_rng(0)
    for name in ("age", "income", "opened", "region", "member"):
        values = table[name]
        cells = cut(values, SeededNoise(0), epsilon=50.0, delta=1e-3, public=RANGES.get(name))
        back = cells.values(cells.codes(values), random)
        assert back.dtype == values.dtype
        if cells.edges:
            bin_ = cells.edges[1] - cells.edges[0]
            assert np.abs(as_numbers(back) - as_numbers(values)).max() <= bin_ + 1
        else:
            assert (back == values).all()


def test_a_fold_repeats_its_rows_and_a_text_or_a_wrong_epsilon_is_refused() -> None:
    rows = customers(400)
    made = Made(path="assay.synth.private.private_rows", class_name="rare", dose=1.0,
                parameters={"epsilon": 4.0, "ranges": RANGES})  # fmt: skip

    def unused(*_: object, **__: object) -> object:
        raise AssertionError("nothing is read")

    tools = Tools(unused, unused)  # type: ignore[arg-type]
    recipe = baseline_recipe(TASK).with_made(made)
    one, two = (training_rows(recipe, rows, TASK, tools, seed=5).rows for _ in range(2))
    assert one.equals(two)
    assert one.height > rows.height
    with pytest.raises(InputError, match="epsilon"):
        private_rows(rows, TASK, class_name="rare", count=5, seed=0, epsilon=0)
    with pytest.raises(InputError, match="Given: agee"):
        private_rows(rows, TASK, class_name="rare", count=5, seed=0, ranges={"agee": (1, 2)})
    with pytest.raises(InputError, match="text"):
        private_rows(newsroom(60), NEWS, class_name=None, count=5, seed=0)


def test_an_empty_column_is_all_other() -> None:
    cells = cut(pl.Series("x", [None, None], dtype=pl.String), SeededNoise(0), epsilon=1, delta=0.1)
    assert isinstance(cells, Cells)
    assert cells.codes(pl.Series("x", ["a", None])).tolist() == [1, 1]


@pytest.mark.slow
def test_a_private_synthesis_tells_its_epsilon_and_releases_without_a_look(tmp_path: Path) -> None:
    rows = customers(600, gaps=False).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="class", kind="binary", metric="auc")
    with pytest.raises(InputError, match="ranges"):
        synthesize(project, for_class="rare", method="private", rows=60, doses=(1,), confirm=False)
    settings = project.path / "assay.toml"
    told = "\n".join(f"{name} = {json.dumps(ends)}" for name, ends in RANGES.items())
    settings.write_text(f"{settings.read_text()}\n[settings.synth.ranges]\n{told}\n")
    project.ledger().close()
    project = Project.open(project.path)
    result = synthesize(
        project, for_class="rare", method="private", rows=60, doses=(1,), confirm=False
    )
    batch = result.batches[0]
    assert batch.epsilon is not None
    assert batch.epsilon <= 1.0 + 1e-9
    assert batch.filters == ()
    card = release(result, project, tmp_path / "rows.parquet")
    told = card.read_text()
    assert "differential privacy: epsilon" in told
    assert NOT_COVERED in told
    project.ledger().close()


YOUNG = '[[constraints]]\nkind = "between"\ncolumn = "age"\nhigh = 40\n'


def of_ages(folder: Path, settings: str = "") -> Project:
    rows = customers(300, gaps=False).select("age", "member", "class")
    Project.create(folder, rows, target="class", kind="binary", metric="auc").ledger().close()
    file = folder / "assay.toml"
    told = f"[settings.synth]\nranges = {{ age = [18, 90] }}\n{settings}"
    file.write_text(f"{file.read_text()}\n{told}\n")
    return Project.open(folder)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"rows": 50}, "private needs a class"),
        ({"for_class": "rare"}, "private needs rows"),
        ({"for_class": "rare", "rows": 50}, "mined from the real rows"),
    ],
)
def test_what_would_tell_of_the_real_rows_beside_the_noise_is_said_by_the_user(
    tmp_path: Path, asked: dict[str, object], told: str
) -> None:
    project = of_ages(tmp_path / "p")
    (project.path / "constraints.toml").write_text(YOUNG)
    with pytest.raises(InputError, match=told):
        synthesize(project, method="private", **asked)  # type: ignore[arg-type]
    assert not project.ledger().entries("run")
    project.ledger().close()


@pytest.mark.parametrize("public", [True, False])
def test_private_rows_are_as_many_as_said_and_keep_to_public_constraints_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, public: bool
) -> None:
    keep(monkeypatch, None)
    project = of_ages(tmp_path / "p", "constraints_public = true" if public else "")
    if public:
        (project.path / "constraints.toml").write_text(YOUNG)
    result = synthesize(project, for_class="rare", method="private", rows=50, confirm=False)
    made = project.ledger().read_table(result.artefact)
    assert (made["age"].max() <= 40) == public  # type: ignore[operator]
    assert made.height == 50 or public
    assert len(result.constraints) == public, "none are mined: they would tell of the rows"
    assert ("constraints hold in every row" in render_html(result)) == public
    assert result.batches[0].epsilon <= 1.0 + 1e-9  # type: ignore[operator]
    project.ledger().close()


def test_a_fold_keeps_private_rows_to_public_constraints_too() -> None:
    parameters = making_parameters("private", Synth(ranges=RANGES), constraints_from_toml(YOUNG))
    made = private_rows(customers(400), TASK, class_name=None, count=50, seed=0, **parameters)
    assert made.height
    assert made["age"].max() <= 40  # type: ignore[operator]
    assert "constraints" not in making_parameters("private", Synth(), ())


def test_where_to_make_private_rows_is_not_read_off_the_rows(tmp_path: Path) -> None:
    task = TASK.model_copy(update={"kind": "regression", "target": "income", "classes": ()})
    with Ledger.open(tmp_path / "ledger") as ledger:
        found = chosen_scope(customers(), task, ledger, method="private")
    assert (found.class_name, found.where.conditions, found.seen) == (None, (), ())
