"""Rows of a slice: made from it, kept inside it, and where they are lacking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.project import Project
from assay.recipe import (
    Made,
    Tools,
    baseline_recipe,
    conditions_of,
    narrowed,
    recipe_from_toml,
    recipe_to_toml,
    training_rows,
)
from assay.synth import synthesize
from assay.synth.corners import empty_corners
from assay.synth.scarcity import scope
from assay.tables.predicate_text import predicate_from_words
from synth.tables_made_up import TASK, customers

NORTH = predicate_from_words('region = "north"')
TEXT = "assay.synth.curation.curated_rows"


def unused(*_: object, **__: object) -> object:
    raise AssertionError("nothing is read")


TOOLS = Tools(unused, unused)  # type: ignore[arg-type]


def test_a_slice_of_a_class_leaves_the_other_classes_whole() -> None:
    rows = customers(gaps=False)
    found = narrowed(rows, TASK, "rare", NORTH)
    assert set(found.filter(pl.col("class") == "rare")["region"]) == {"north"}
    common = pl.col("class") == "common"
    assert found.filter(common).equals(rows.filter(common))
    assert set(narrowed(rows, TASK, None, NORTH)["region"]) == {"north"}


@pytest.mark.parametrize("class_name", ["rare", ""])
def test_made_rows_of_a_slice_are_made_of_it_and_lie_in_it(class_name: str) -> None:
    rows = customers(gaps=False)
    old = predicate_from_words('age > 45 and region = "north"')
    made = Made(
        path="assay.synth.tabular.made_rows",
        class_name=class_name,
        where=conditions_of(old),
        dose=2.0,
        parameters={"method": "copula"},
    )
    recipe = baseline_recipe(TASK).with_made(made)
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    new = training_rows(recipe, rows, TASK, TOOLS, seed=0).rows[rows.height :]
    own = rows.filter(pl.Series(old.select(rows)))
    if class_name:
        own = own.filter(pl.col("class") == class_name)
        assert set(new["class"]) == {"rare"}
    assert 0 < new.height <= 2 * own.height
    assert old.select(new).all()


@pytest.mark.slow
def test_a_synthesis_of_a_slice_tells_its_slice(tmp_path: Path) -> None:
    rows = customers(400, gaps=False).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="class", kind="binary", metric="auc")
    result = synthesize(
        project, for_class="rare", where='region = "north"', method="smote", doses=(1,),
        confirm=False,
    )  # fmt: skip
    assert result.where == 'region = "north"'
    own = project.search().filter((pl.col("class") == "rare") & (pl.col("region") == "north"))
    assert result.real_rows == own.height
    made = project.ledger().read_table(result.artefact)
    assert set(made["region"]) == {"north"}
    assert result.batches[0].filters[0].filter == "slice"
    project.ledger().close()


def test_a_condition_on_no_input_names_the_inputs() -> None:
    with pytest.raises(InputError, match="none of the inputs"):
        scope(customers(), TASK, None, "height > 3")
    assert scope(customers(), TASK, None, "age > 30")[0] is None
    assert scope(customers(), TASK, None, None)[0] == "rare"


def corner_table(seed: int, share: float) -> pl.DataFrame:
    """Two independent columns of words and one of numbers; of one corner only a share is kept."""
    random = np.random.default_rng(seed)
    table = pl.DataFrame(
        {
            "row_id": [str(number) for number in range(600)],
            "region": random.choice(["north", "south"], 600),
            "member": random.choice(["yes", "no"], 600),
            "age": random.normal(40, 10, 600),
            "class": random.choice(["rare", "common"], 600),
        }
    )
    corner = (pl.col("region") == "north") & (pl.col("member") == "yes")
    return table.filter(~corner | pl.Series(random.random(600) < share))


CORNERS = TASK.model_copy(update={"features": ("region", "member", "age")})


def test_a_thinned_corner_is_found_and_independent_columns_have_none() -> None:
    found = empty_corners(corner_table(0, 0.1), CORNERS)
    assert [each.where.words for each in found] == ['region = "north" and member = "yes"']
    assert found[0].rows < found[0].expected / 3
    false = sum(bool(empty_corners(corner_table(seed, 1.0), CORNERS)) for seed in range(100))
    assert false == 0
