"""Models that MLflow keeps, diagnosed by their addresses: the real package, run apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.models import imported_model
from assay.errors import InputError


def corner(n: int = 800) -> pl.DataFrame:
    """Rows whose class x tells, but for one corner."""
    random = np.random.default_rng(0)
    x, age = random.normal(size=n), random.uniform(20, 80, n)
    turned = (age > 60) & (random.random(n) < 0.9)
    return pl.DataFrame({"x": x, "age": age, "y": np.where((x > 0) ^ turned, "yes", "no")})


@pytest.mark.filterwarnings("ignore")  # of MLflow and of what it imports
def test_a_run_and_a_registered_model_are_diagnosed_by_their_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    import mlflow
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'runs.db'}")
    rows = corner()
    inputs = rows.select("x", "age").to_pandas()
    model = LogisticRegression().fit(inputs, rows["y"].to_list())
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(
            model, name="model", registered_model_name="corner", serialization_format="cloudpickle"
        )
    for path in (f"runs:/{run.info.run_id}/model", "models:/corner/1"):
        loaded = imported_model(path)
        found = diagnose(rows, truth="y", model=loaded, detectors=[SliceDetector()])
        own = diagnose(
            rows, truth="y", predictions=model.predict(inputs), detectors=[SliceDetector()]
        )
        assert [each.title for each in found.findings] == [each.title for each in own.findings]
        assert "age" in found.findings[0].title
    with pytest.raises(InputError, match="MLflow cannot load the model"):
        imported_model("models:/corner/9")
