"""Every recipe of the book runs in the sandbox and keeps its promise."""

from __future__ import annotations

import polars as pl
import pytest

from assay.ask import Snippet
from assay.ask.given import made_up
from assay.ask.shelf import recipe_book
from assay.ask.trying import fault_of, modules_of
from assay.sandbox import Limits, run

ALL_AT_ONCE = """
import traceback
failed = {}
for recipe in recipes:
    regression = "regression" in recipe["needs"]
    names = dict(regression_names if regression else class_names)
    names["rows"] = (regression_rows if regression else class_rows).clone()
    for part in ("code", "check"):
        try:
            exec(compile(recipe[part], recipe["title"], "exec"), names)
        except BaseException:
            failed[recipe["title"]] = part + traceback.format_exc()[-600:]
            break
"""


@pytest.mark.slow
def test_every_recipe_runs_and_keeps_its_promise() -> None:
    book = recipe_book()
    assert len(book) >= 60
    recipes = [
        {"title": each.title, "code": each.code, "check": each.check, "needs": list(each.needs)}
        for each in book
    ]
    given = {"recipes": recipes}
    for name, each in (("class", made_up()), ("regression", made_up(["regression"]))):
        variables = each.variables()
        given |= {f"{name}_rows": variables.pop("rows"), f"{name}_names": variables}
    limits = Limits(wall_seconds=200, cpu_seconds=200)
    outcome = run(ALL_AT_ONCE, given, outputs=["failed"], limits=limits)
    assert outcome.ok, outcome
    assert outcome.outputs["failed"] == {}


@pytest.mark.parametrize("recipe", recipe_book(), ids=lambda each: each.title)
def test_a_recipe_is_whole(recipe: Snippet) -> None:
    assert fault_of(recipe) == ""
    assert {*modules_of(recipe.code)} <= {"numpy", "polars", "scipy", "sklearn", "joblib"}
    assert len(recipe.phrases) >= 2
    assert recipe.promise


def test_titles_differ() -> None:
    titles = [each.title for each in recipe_book()]
    assert len(set(titles)) == len(titles)


def test_made_up_rows_have_what_any_recipe_needs() -> None:
    for recipe in recipe_book():
        given = made_up(recipe.needs)
        assert not given.lacks(recipe.needs)
        assert given.rows.schema[given.target] == (
            pl.Float64 if given.kind == "regression" else pl.String
        )
