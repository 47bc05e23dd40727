"""The search with packages that need not be there: other boosted trees, and MLflow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay import Project
from assay.experiment import experiment
from assay.experiment.search.entrant import Entrant
from assay.experiment.tracking import Tracking
from assay.project.building import built
from assay.recipe import Tools
from troublesome import shop

pytestmark = pytest.mark.slow


def project(folder: Path) -> Project:
    return Project.create(folder / "shop", shop(400), target="bought", seed=2)


@pytest.mark.parametrize("family", ["lightgbm", "xgboost", "catboost"])
def test_boosted_trees_of_a_package_are_searched(tmp_path: Path, family: str) -> None:
    pytest.importorskip(family)
    result = experiment(
        project(tmp_path), minutes=1, families=(family,), most=3, workers=1, confirm=False
    )
    tried = [each for each in result.standings if each.family == family]
    assert len(tried) >= 2
    assert not [each.reason for each in tried if each.state == "failed"]
    assert max(each.score for each in tried if each.state == "finished") > 0.6


@pytest.mark.filterwarnings("ignore")  # of MLflow and of what it imports
def test_mlflow_is_told_every_recipe_and_loads_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    made = project(tmp_path)
    result = experiment(made, minutes=1, families=("linear", "boosting"), most=3, workers=1)
    assert not [each for each in result.notes if "MLflow" in each]
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name("assay/shop")
    runs = client.search_runs([found.experiment_id])
    (parent,) = [each for each in runs if "mlflow.parentRunId" not in each.data.tags]
    below = [each for each in runs if each is not parent]
    assert {each.data.tags["mlflow.parentRunId"] for each in below} == {parent.info.run_id}
    assert {each.id for each in result.standings} <= {
        each.data.tags["assay.ledger"] for each in below
    }
    assert result.claimed is not None
    assert parent.data.metrics["claimed"] == result.claimed.estimate
    loaded = mlflow.pyfunc.load_model(f"runs:/{parent.info.run_id}/model")
    new = shop(50, seed=9)
    tools = Tools(read_table=lambda _: new, embed=lambda *_, **__: np.empty(0))
    told = loaded.predict(new.select(made.task.inputs).to_pandas())
    own = built(made, result.recipe, tools=tools)
    np.testing.assert_array_equal(told, own.predict(new))


@pytest.mark.filterwarnings("ignore")  # of MLflow and of what it imports
def test_mlflow_has_one_run_for_a_recipe_and_one_for_a_search_that_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    import mlflow

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    made = project(tmp_path)
    notes: list[str] = []
    entrant = Entrant(0, "project", "recipe", made.recipe, {"C": 1.0}, 1, state="waiting")

    def tell(scores: list[float], run: str) -> Tracking:
        """Tell a session's stages, as a search does that is stopped then."""
        tracking = Tracking.open(made, run, notes.append)
        assert tracking is not None
        for score in scores:
            entrant.scores.append(score)
            tracking.tried(entrant, "event-1")
        return tracking

    tell([0.5, 0.6], "run-1")
    tell([0.7], "run-1").end({})
    client = mlflow.MlflowClient()
    number = client.get_experiment_by_name("assay/shop").experiment_id
    child, parent = sorted(
        client.search_runs([number]), key=lambda each: "assay.run" in each.data.tags
    )
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    history = client.get_metric_history(child.info.run_id, "score")
    assert [(each.step, each.value) for each in history] == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert parent.info.status == "FINISHED"
    tell([], "run-2")
    assert len(client.search_runs([number])) == 3, "another search is another run"
    assert notes == []
