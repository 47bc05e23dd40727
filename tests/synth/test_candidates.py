"""The product and its benchmark try the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.recipe import baseline_recipe
from assay.synth.candidates import made_candidates
from assay.synth.constraints import Whole
from assay.synth.methods import AUTO, chosen_methods
from assay.synth.unmade import MOVED, WEIGHTS
from synth.tables_made_up import TASK, customers

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_dose_takes_the_place_of_another_of_its_method_and_class() -> None:
    recipe = baseline_recipe(TASK)
    for each in made_candidates(("smote", "copula"), (1.0, 4.0), class_name="rare"):
        recipe = each.apply(recipe)
    kept = [(each.parameters["method"], each.dose) for each in recipe.rows.made]
    assert kept == [("smote", 4.0), ("copula", 4.0)]


def test_a_dose_takes_the_place_of_one_that_was_held_to_other_constraints() -> None:
    recipe = baseline_recipe(TASK)
    for stated in (None, (Whole(column="age"),)):
        (each,) = made_candidates(("smote",), (1.0,), class_name="rare", constraints=stated)
        recipe = each.apply(recipe)
    (made,) = recipe.rows.made
    assert "whole" in made.parameters["constraints"]


def test_the_benchmark_tries_what_the_product_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from synth_runs import proposals

    task = TASK.model_copy(update={"metric": "macro_f1"})
    tried = proposals(task, customers(), baseline_recipe(task), "rare")
    assert {each.method for each in tried} == {*chosen_methods(AUTO, task, "rare"), WEIGHTS, MOVED}
