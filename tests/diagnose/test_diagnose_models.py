"""Models at hand: scikit-learn's, PyTorch's, and MLflow's by a stand-in for its loader."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.fit import FitDetector
from assay.diagnose.given import read_case
from assay.diagnose.models import case_answers, imported_model
from assay.errors import InputError, MissingExtraError


def table(n: int = 300) -> pl.DataFrame:
    random = np.random.default_rng(0)
    x, z = random.normal(size=n), random.normal(size=n)
    return pl.DataFrame({"x": x, "z": z, "y": np.where(x > 0, "yes", "no")})


def test_a_torch_module_is_asked_in_its_evaluating_state() -> None:
    import torch

    class Sided(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            assert not self.training
            return torch.stack([torch.zeros(len(rows)), 3 * rows[:, 0]], dim=1)

    model = Sided()
    case = read_case(table(), truth="y", model=model)
    assert model.training, "its state is left as it was"
    assert case.losses.sum() == 0
    assert case.probabilities is not None
    x = table()["x"].to_numpy()
    assert np.allclose(case.probabilities[:, 1], 1 / (1 + np.exp(-3 * x)), atol=1e-5)

    class OneLogit(Sided):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return 3 * rows[:, :1]

    alone = read_case(table(), truth="y", model=OneLogit())
    assert alone.probabilities is not None
    assert np.allclose(alone.probabilities, case.probabilities, atol=1e-5)
    with pytest.raises(InputError, match="city"):
        diagnose(
            table().with_columns(city=pl.Series(["Rome", "Oslo"] * 150)), truth="y", model=model
        )


def test_a_torch_module_of_a_regression_gives_values() -> None:
    import torch

    rows = table().with_columns(y=2 * pl.col("x"))
    linear = torch.nn.Linear(2, 1)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[2.0, 0.0]]))
        linear.bias.zero_()
    case = read_case(rows, truth="y", model=linear)
    assert np.abs(case.losses).max() < 1e-5


def test_a_scikit_learn_model_is_asked_with_its_own_order_of_classes() -> None:
    from sklearn.linear_model import LogisticRegression

    rows = table()
    model = LogisticRegression().fit(rows.select("x", "z").to_pandas(), rows["y"].to_list())
    case = read_case(rows, truth="y", model=model)
    assert case.losses.mean() < 0.05


def test_what_a_model_predicts_is_judged_and_not_its_likeliest_class() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier

    rows = table()
    given, truth = rows.select("x", "z").to_pandas(), rows["y"].to_numpy()
    plain = LogisticRegression(C=0.1)
    model = FixedThresholdClassifier(plain, threshold=0.9, pos_label="yes").fit(given, truth)
    case = read_case(rows, truth="y", model=model)
    assert case.losses.mean() == np.mean(model.predict(given) != truth) > 0.1
    assert np.allclose(case.stated, model.predict_proba(given))
    ask = case_answers(case)
    assert ask is not None
    assert (ask(case.rows).predictions == case.predictions).all()


@pytest.mark.parametrize(
    ("taught", "judged"),
    [(pl.Boolean, pl.Boolean), (pl.Float64, pl.Float64), (pl.Float64, pl.Int64)],
)
def test_classes_are_known_by_whatever_kind_of_value_names_them(
    taught: type[pl.DataType], judged: type[pl.DataType]
) -> None:
    from sklearn.linear_model import LogisticRegression

    rows = table().with_columns(y=pl.col("x") > 0)
    given = rows.select("x", "z").to_pandas()
    model = LogisticRegression().fit(given, rows["y"].cast(taught).to_numpy())
    case = read_case(rows.with_columns(pl.col("y").cast(judged)), truth="y", model=model)
    assert case.losses.mean() < 0.05
    assert np.allclose(case.stated, model.predict_proba(given))


def test_overfitting_is_found_whatever_kind_of_value_the_labels_are() -> None:
    from sklearn.tree import DecisionTreeClassifier

    random = np.random.default_rng(1)
    rows = table(600).with_columns(y=pl.Series((random.random(600) < 0.5).astype(float)))
    model = DecisionTreeClassifier().fit(rows[:300].select("x", "z").to_pandas(), rows["y"][:300])
    found = diagnose(
        rows[300:], truth="y", model=model, training=rows[:300], detectors=[FitDetector()]
    )
    assert "AS901" in [each.code for each in found.findings]


def test_a_model_is_given_the_columns_that_it_was_fitted_on() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = table().with_columns(
        same=pl.lit(1.0), team=pl.int_range(300) % 40, note=pl.lit("a few words in every row")
    )
    numbers = rows.drop("note")
    plain = LogisticRegression().fit(numbers.drop("y").to_pandas(), rows["y"].to_list())
    assert read_case(numbers, truth="y", model=plain).losses.mean() < 0.05
    assert read_case(numbers, truth="y", group="team", model=plain).losses.mean() < 0.05
    with pytest.raises(InputError, match=r"lack columns .*team"):
        read_case(numbers.drop("team"), truth="y", model=plain)

    words = rows.with_columns(note=pl.format("number {} of some hundred rows", pl.int_range(300)))
    read = make_column_transformer((CountVectorizer(), "note"), ("passthrough", ["x", "z"]))
    both = make_pipeline(read, LogisticRegression())
    both.fit(words.select("note", "x", "z").to_pandas(), rows["y"].to_list())
    case = read_case(words.select("note", "x", "z", "y"), truth="y", model=both)
    assert case.task.text == "note"
    assert case.losses.mean() < 0.05


def test_a_model_without_names_is_given_all_columns_that_have_no_role() -> None:
    import torch

    rows = table().with_columns(same=pl.lit(1.0), who=pl.int_range(300) % 7, w=pl.lit(2.0))
    roles = {"truth": "y", "annotator": "who", "weight": "w"}
    case = read_case(rows, model=torch.nn.Linear(3, 2), **roles)
    assert case.stated.shape == (300, 2)


def test_what_fails_in_a_model_is_told_as_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def broken(rows: pl.DataFrame) -> list[str]:
        raise RuntimeError("no such sensor")

    with pytest.raises(InputError, match=r"cannot answer .*RuntimeError: no such sensor.*x, z"):
        read_case(table(), truth="y", model=broken)
    with pytest.raises(InputError, match="cannot answer"):
        read_case(table(), truth="y", model=torch.nn.Linear(5, 2))
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('no licence')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="RuntimeError: no licence"):
        imported_model("broken_module:model")


def test_mlflow_loads_what_an_address_of_its_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded:
        def predict(self, rows: object) -> list[str]:
            return ["yes"] * len(rows)  # type: ignore[arg-type]

    def load_model(path: str) -> Loaded:
        if path != "models:/churn/3":
            raise ValueError("no such model")
        return Loaded()

    stand_in = ModuleType("mlflow")
    stand_in.pyfunc = ModuleType("mlflow.pyfunc")  # type: ignore[attr-defined]
    stand_in.pyfunc.load_model = load_model
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    case = read_case(table(), truth="y", model=imported_model("models:/churn/3"))
    assert set(case.predictions) == {"yes"}
    with pytest.raises(InputError, match="no such model"):
        imported_model("runs:/0/model")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError):
        imported_model("models:/churn/3")
