"""Networks fitted to made-up tables take part where package, weights and a small table are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assay import Project
from assay.errors import InputError
from assay.experiment import experiment
from assay.experiment.search.circumstances import Circumstances, installed
from assay.experiment.search.families import families_for
from assay.experiment.search.prior_fitted import missing_weights, prior_fitted_families
from assay.recipe import recipe_from_toml, recipe_to_toml
from assay.recipe.local_weights import local_weights
from assay.recipe.prior_fitted import PriorFittedClassifier, PriorFittedRegressor
from assay.task import ClassDescription, Task
from newsroom import TASK as NEWS
from troublesome import shop

SCRIPTED = '''
"""scripted: the interface of {package} 2 to 9, and a guess from the nearest rows."""

from pathlib import Path

from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor


class _Scripted:
    def __init__(self, *, n_estimators="auto", model_path="auto", {own}random_state=0):
        assert Path(model_path).read_text() == "scripted"
        self.n_estimators, self.random_state = n_estimators, random_state

    def fit(self, X, y):
        self.model = self.nearest(5 * self.n_estimators).fit(X, y)
        self.classes_ = getattr(self.model, "classes_", None)
        return self

    def predict(self, X):
        return self.model.predict(X)

    def predict_proba(self, X):
        return self.model.predict_proba(X)


class {name}Classifier(_Scripted):
    nearest = KNeighborsClassifier


class {name}Regressor(_Scripted):
    nearest = KNeighborsRegressor
'''
OLD, NEW = "tabpfn-v2-classifier.ckpt", "tabpfn-v3-classifier-v3_default.ckpt"
TASK = Task(
    kind="binary",
    modality="tabular",
    target="bought",
    features=("size", "age"),
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the empty folder of TabPFN's weights; scripted packages are on the path."""
    (tmp_path / "tabpfn.py").write_text(SCRIPTED.format(package="tabpfn", name="TabPFN", own=""))
    own = "allow_auto_download=True, "
    (tmp_path / "tabicl.py").write_text(SCRIPTED.format(package="tabicl", name="TabICL", own=own))
    monkeypatch.syspath_prepend(tmp_path)
    for each in ("tabpfn", "tabicl"):
        monkeypatch.delitem(sys.modules, each, raising=False)
    monkeypatch.setenv("TABPFN_MODEL_CACHE_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "weights").mkdir()
    installed.cache_clear()
    yield tmp_path / "weights"
    installed.cache_clear()
    for each in ("tabpfn", "tabicl"):
        sys.modules.pop(each, None)


def seen(rows: int = 900, task: Task = TASK) -> Circumstances:
    return Circumstances(task, task.features, rows, 0.4)


def test_without_weights_it_is_left_out_with_the_reason_and_nothing_is_fetched(
    weights: Path,
) -> None:
    assert not prior_fitted_families(seen())
    for_tabpfn, for_tabicl = missing_weights(seen())
    assert "tabpfn: its weights are not on this machine" in for_tabpfn
    assert str(weights) in for_tabpfn
    assert "tabicl" in for_tabicl
    assert not missing_weights(seen(rows=5_001)), "too many rows for any weights"
    assert not missing_weights(seen(task=NEWS))
    with pytest.raises(InputError, match="none are fetched unasked"):
        PriorFittedClassifier(weights=OLD).fit(np.zeros((4, 1)), [0, 1, 0, 1])


def test_it_takes_part_within_the_limits_of_its_weights(weights: Path) -> None:
    (weights / OLD).write_text("scripted")
    assert [each.name for each in prior_fitted_families(seen())] == ["prior_fitted"]
    assert not prior_fitted_families(seen(rows=1_001))
    (reason,) = missing_weights(seen(rows=1_001))
    assert "tabicl" in reason
    (weights / NEW).write_text("scripted")
    assert local_weights("tabpfn", regression=False) == weights / NEW
    assert local_weights("tabpfn", regression=True) is None
    (family,) = prior_fitted_families(seen(rows=5_000))
    recipe = family.build(family.defaults[0])
    assert recipe.estimator.parameters["weights"] == NEW
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    many = tuple(ClassDescription(name=f"class {each}") for each in range(11))
    assert not prior_fitted_families(
        seen(task=TASK.model_copy(update={"kind": "multiclass", "classes": many}))
    )
    assert "prior_fitted" in [each.name for each in families_for(seen())]


def test_weights_of_the_hub_are_found_where_it_keeps_them(weights: Path) -> None:
    folder = weights.parent / "hub" / "models--jingang--TabICL" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    name = "tabicl-regressor-v2-20260212.ckpt"
    (folder / name).write_text("scripted")
    assert local_weights("tabicl", regression=True) == folder / name
    rows = np.linspace(0, 1, 80)[:, None]
    model = PriorFittedRegressor("tabicl", name, 1).fit(rows, rows[:, 0])
    assert np.abs(model.predict(rows) - rows[:, 0]).max() < 0.05


@pytest.mark.slow
def test_a_search_tries_it_with_the_weights_of_this_machine(weights: Path, tmp_path: Path) -> None:
    (weights / OLD).write_text("scripted")
    made = Project.create(tmp_path / "shop", shop(400), target="bought", seed=2)
    result = experiment(
        made, minutes=1, families=("prior_fitted",), most=2, workers=1, confirm=False
    )
    (tried,) = [each for each in result.standings if each.family == "prior_fitted"]
    assert tried.state == "finished", tried.reason
    assert tried.recipe.estimator.parameters["package"] == "tabpfn"
    assert float(tried.score or 0) > 0.6
    assert any("without tabicl" in each for each in result.notes)
