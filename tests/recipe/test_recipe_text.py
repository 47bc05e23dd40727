from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InputError
from assay.recipe import (
    AddedRows,
    Embedding,
    Estimator,
    Recipe,
    Rows,
    Tabular,
    Tfidf,
    baseline_recipe,
    read_recipe,
    recipe_diff,
    recipe_from_toml,
    recipe_to_toml,
    write_recipe,
)
from newsroom import TASK

names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
)
values: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**9), 10**9), names, st.lists(st.integers(0, 9))
) | st.floats(allow_nan=False, allow_infinity=False)
features = st.one_of(
    st.builds(Tfidf, column=names, max_ngram=st.integers(1, 6), sublinear=st.booleans()),
    st.builds(Embedding, column=names, model=names),
    st.builds(Tabular, columns=st.lists(names, min_size=1).map(tuple), scale=st.booleans()),
)
recipes = st.builds(
    Recipe,
    rows=st.builds(
        Rows,
        added=st.lists(
            st.builds(AddedRows, votes=names, features=st.lists(features, max_size=2).map(tuple))
        ).map(tuple),
        dropped=st.lists(names).map(tuple),
    ),
    features=st.lists(features, min_size=1, max_size=3).map(tuple),
    estimator=st.builds(
        Estimator, path=names, parameters=st.dictionaries(names, values, max_size=4)
    ),
)


@given(recipes)
def test_toml_goes_both_ways(recipe: Recipe) -> None:
    again = recipe_from_toml(recipe_to_toml(recipe))
    assert again == recipe
    assert again.hash == recipe.hash


@given(recipes, recipes)
def test_the_hash_and_the_diff_tell_recipes_apart(one: Recipe, other: Recipe) -> None:
    assert (one == other) == (one.hash == other.hash) == (recipe_diff(one, other) == "")


def test_a_diff_shows_the_edit_alone() -> None:
    before = baseline_recipe(TASK)
    diff = recipe_diff(before, before.with_parameters(C=10.0))
    changed = [line for line in diff.splitlines()[2:] if line[0] in "+-"]
    assert changed == ["+C = 10.0"]


def test_defaults_are_left_out_of_text_and_hash() -> None:
    recipe = Recipe(features=(Tfidf(column="text"),), estimator=Estimator(path="a.B"))
    assert recipe.plain() == {
        "format": 1,
        "features": [{"kind": "tfidf", "column": "text"}],
        "estimator": {"path": "a.B"},
    }


def test_a_recipe_is_written_whole_and_read_back(tmp_path: Any) -> None:
    path = tmp_path / "recipe.toml"
    write_recipe(baseline_recipe(TASK), path)
    assert read_recipe(path) == baseline_recipe(TASK)
    assert [each.name for each in tmp_path.iterdir()] == ["recipe.toml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format = ", "not valid TOML"),
        ("format = 2", "newer version"),
        ("format = 1", "features"),
        ('[[features]]\nkind = "tfdif"\ncolumn = "t"\n[estimator]\npath = "a.B"', "tfdif"),
        ('[[features]]\nkind = "tfidf"\ncolumn = "t"\n[estimator]\npath = "a.B"\nC = 1', "C"),
    ],
)
def test_an_unusable_file_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe_from_toml(text)


def test_an_absent_file_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="assay init"):
        read_recipe(tmp_path / "recipe.toml")
