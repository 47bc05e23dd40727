"""Metrics that a rare class is judged by: chosen in init, read by improve and by the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from assay import Project
from assay.cli.init import init
from assay.errors import InputError
from assay.experiment.propose import threshold_aim
from assay.improve import improve
from assay.project.gate import gate_recipe
from assay.recipe import Observation, Proposal, Recipe, recipe_to_toml

Edit = Callable[[Recipe], Recipe]


def stump(recipe: Recipe) -> Recipe:
    return recipe.with_estimator("sklearn.tree.DecisionTreeClassifier", max_depth=1)


def bayes(recipe: Recipe) -> Recipe:
    return recipe.with_estimator("sklearn.naive_bayes.GaussianNB")


def moved(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"rarity": 1.0})


EVEN, PRECISE = ("balanced_accuracy", bayes, moved), ("average_precision", stump, bayes)
"""The metric, the edit that the project begins with, and the one that its metric calls for."""

CASES = [pytest.param(*EVEN), pytest.param(*PRECISE, marks=pytest.mark.slow)]


class One:
    """Proposes one recipe."""

    name = "one"

    def __init__(self, wanted: Recipe) -> None:
        self.wanted = wanted

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        yield Proposal("wanted", "the metric calls for it", "rule:test", lambda _: self.wanted)


def begun(folder: Path, metric: str, first: Edit, then: Edit) -> tuple[Project, Recipe]:
    """Return a project that ``assay init`` made, and what its recipe should become."""
    random = np.random.default_rng(0)
    rare = random.random(600) < 0.15
    numbers = {name: random.normal(size=600) + rare for name in "xyz"}
    table = pl.DataFrame({**numbers, "class": np.where(rare, "rare", "common")})
    table.write_csv(folder / "rows.csv")
    app = typer.Typer()
    app.command()(init)
    told = ["rows.csv", "--target", "class", "--path", "p", "--metric", metric]
    told = [str(folder / each) if each in ("rows.csv", "p") else each for each in told]
    assert CliRunner().invoke(app, told).exit_code == 0
    recipe = Project.open(folder / "p").recipe
    (folder / "p" / "recipe.toml").write_text(recipe_to_toml(first(recipe)))
    project = Project.open(folder / "p")
    return project, then(project.recipe)


@pytest.mark.parametrize(("metric", "first", "then"), [EVEN, PRECISE])
def test_init_takes_it(tmp_path: Path, metric: str, first: Edit, then: Edit) -> None:
    project, _ = begun(tmp_path, metric, first, then)
    assert project.task.metric == metric


@pytest.mark.parametrize(("metric", "first", "then"), CASES)
def test_improve_screens_and_confirms_by_it(
    tmp_path: Path, metric: str, first: Edit, then: Edit
) -> None:
    project, wanted = begun(tmp_path, metric, first, then)
    result = improve(project, sources=[One(wanted)])
    (attempt,) = result.attempts
    assert attempt.verdict.kept
    assert attempt.verdict.main.details["metric"] == metric
    assert result.confirmed is not None
    assert result.confirmed.verdict.main.details["metric"] == metric


@pytest.mark.parametrize(("metric", "first", "then"), CASES)
def test_the_gate_judges_by_it(tmp_path: Path, metric: str, first: Edit, then: Edit) -> None:
    project, wanted = begun(tmp_path, metric, first, then)
    gated = gate_recipe(project, wanted)
    assert (gated.metric, gated.exit_code) == (metric, 0)


def test_classes_have_no_average_precision_together(tmp_path: Path) -> None:
    table = pl.DataFrame({"x": range(300), "y": ["a", "b", "c"] * 100})
    with pytest.raises(InputError, match="does not fit a multiclass task") as caught:
        Project.create(tmp_path / "p", table, target="y", metric="average_precision")
    assert "balanced_accuracy" in str(caught.value.allowed)


def test_no_threshold_is_chosen_for_an_aim_that_is_not_the_metric(tmp_path: Path) -> None:
    project, _ = begun(tmp_path, *EVEN)
    assert threshold_aim(project.task) is None
