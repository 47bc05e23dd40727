from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from assay.errors import InputError
from assay.recipe import Slice, Tabular, Tfidf, Where, baseline_recipe, columns_of, fit_recipe
from assay.recipe.features import FeatureUnion
from assay.recipe.text import recipe_from_toml, recipe_to_toml
from assay.recipe.tools import Tools
from assay.tables import infer_task

NORTH = Where(column="region", operator="=", value='no"rth')


def no_tools() -> Tools:
    def unused(*_: object, **__: object) -> object:
        raise AssertionError("no artefact and no embedding is read")

    return Tools(unused, unused)  # type: ignore[arg-type]


def corner(n: int, seed: int) -> pl.DataFrame:
    """A label that a line tells, and in one region the other way round."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    region = random.choice(['no"rth', "south", "west"], n)
    yes = np.where(region == 'no"rth', x < 0, x > 0)
    numbers = [f"r{at}" for at in range(n)]
    return pl.DataFrame(
        {"row_id": numbers, "x": x, "region": region, "y": np.where(yes, "yes", "no")}
    )


def test_a_slice_is_one_within_and_its_features_are_nought_elsewhere() -> None:
    texts = ["red sky", "red sky", "sky blue?"]
    rows = pl.DataFrame({"region": ['no"rth', "south", None], "text": texts})
    feature = Slice(where=(NORTH,), of=(Tfidf(column="text"),))
    found = FeatureUnion((feature,), no_tools()).fit_transform(rows)
    assert sp.issparse(found)
    assert found.toarray()[:, 0].tolist() == [1, 0, 0]
    assert (found.toarray()[0, 1:] > 0).any()
    assert not found.toarray()[1:, 1:].any()
    assert columns_of(feature) == ("region", "text")
    asks = Where(column="text", operator="=", value=True, trait="question")
    told = FeatureUnion((Slice(where=(asks,)),), no_tools()).fit_transform(rows)
    assert told.ravel().tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="'region'"):
        FeatureUnion((feature,), no_tools()).fit_transform(rows.drop("region"))


def test_a_linear_model_has_weights_of_its_own_within_a_slice() -> None:
    rows, unseen = corner(600, 0), corner(600, 1)
    task = infer_task(rows, "y").task
    plain = baseline_recipe(task)
    told = plain.with_feature(Slice(where=(NORTH,)))
    own = plain.with_feature(Slice(where=(NORTH,), of=(Tabular(columns=("x", "region")),)))
    shares = {
        name: (fit_recipe(each, rows, task, tools=no_tools(), seed=0).predict(unseen)
               == unseen["y"].to_numpy()).mean()
        for name, each in {"plain": plain, "told": told, "own": own}.items()
    }  # fmt: skip
    assert shares["own"] > 0.95
    assert max(shares["plain"], shares["told"]) < 0.75, "an offset turns no line round"
    assert recipe_from_toml(recipe_to_toml(own)) == own
