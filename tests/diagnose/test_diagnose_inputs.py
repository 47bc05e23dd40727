"""What may be given to a diagnosis, and what is said of what may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

import assay
from assay.diagnose import diagnose, plant
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.given import read_case
from assay.diagnose.spec import Diagnosis, Search
from assay.errors import InputError
from assay.llm import ScriptedModel
from assay.llm.forecast import Estimate


def table(n: int = 600, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    age, region = random.integers(18, 90, n), random.choice(["north", "south", "east"], n)
    y = np.where(age + random.normal(0, 15, n) > 50, "yes", "no")
    wrong = (age > 60) & (region == "north") & (random.random(n) < 0.8)
    said = np.where(wrong, np.where(y == "yes", "no", "yes"), y)
    return pl.DataFrame({"age": age, "region": region, "y": y, "prediction": said})


def test_predictions_in_a_column_are_diagnosed() -> None:
    found = assay.diagnose(table(1000), truth="y")
    assert found.findings[0].code == "AS101"
    assert {each.column for each in found.findings[0].predicate.conditions} == {"age", "region"}
    labels = next(each for each in found.looked if each.detector == "label errors")
    assert labels.skipped == "the predictions hold no probabilities"
    assert Diagnosis.from_json(found.to_json()) == found


def test_the_same_seed_gives_the_same_diagnosis() -> None:
    assert diagnose(table(), truth="y", seed=3) == diagnose(table(), truth="y", seed=3)


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda t: t, {"truth": "z"}, "z"),
        (lambda t: t, {"truth": None}, "true values"),
        (lambda t: t.head(19), {}, "too few rows"),
        (lambda t: t.drop("prediction"), {}, "no predictions"),
        (lambda t: t, {"predictions": ["yes"] * 3}, "other rows"),
        (lambda t: t, {"predictions": ["maybe"] * 600}, "classes that the true values"),
        (lambda t: t, {"predictions": ["Yes", "no"] * 300}, "letter case"),
        (lambda t: t, {"predictions": ["yes", "no", None] * 200}, "gaps"),
        (lambda t: t, {"predictions": ["a", "yes"] * 300, "kind": "binary"}, "has two classes"),
        (lambda t: t.with_columns(y=pl.lit("yes"), prediction=pl.lit("yes")), {}, "all the same"),
        (lambda t: t.with_columns(y=pl.when(pl.col("age") > 30).then("y")), {}, "gaps"),
        (lambda t: t.with_columns(prediction=pl.lit(None)), {}, "gaps"),
        (lambda t: t.with_columns(w=pl.lit(-1.0)), {"weight": "w"}, "weights"),
        (lambda t: t.with_columns(pl.lit(1.0).alias("probability:yes")), {}, "missing"),
        (
            lambda t: t.with_columns(pl.lit(0.5).alias(f"probability:{c}") for c in ("YES", "NO")),
            {},
            "classes that the true values",
        ),
        (lambda t: t, {"probabilities": np.ones((600, 2))}, "add up to 1"),
        (lambda t: t, {"probabilities": np.ones((600, 3)) / 3}, "fit the classes"),
        (lambda t: t, {"fdr": 0.0}, "fdr"),
        (lambda t: t, {"model": 3}, "cannot be asked"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(change: Any, options: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        diagnose(change(table()), **({"truth": "y"} | options))


def test_all_right_all_wrong_and_constant_predictions_are_no_trouble() -> None:
    right = table().with_columns(prediction=pl.col("y"))
    wrong = right.with_columns(prediction=pl.when(pl.col("y") == "yes").then(pl.lit("no"))
                               .otherwise(pl.lit("yes")))  # fmt: skip
    # Where all is wrong no rows are worse than others, but a plain model is better (AS902), and
    # rows that share their few values differ in their class (AS203).
    for rows, mean, codes in ((right, 0.0, []), (wrong, 1.0, ["AS902", "AS203"])):
        found = diagnose(rows, truth="y")
        assert ([each.code for each in found.findings], found.mean_loss) == (codes, mean)
    constant = diagnose(table().with_columns(prediction=pl.lit("yes")), truth="y")
    assert constant.findings  # the younger are always wrong


def test_twenty_rows_one_column_and_many_columns() -> None:
    assert diagnose(table(20), truth="y").findings == ()
    assert diagnose(table().drop("region"), truth="y").n == 600
    random = np.random.default_rng(0)
    many = pl.DataFrame({f"x{number}": random.normal(size=600) for number in range(5000)})
    found = diagnose(pl.concat([table(), many], how="horizontal"), truth="y",
                     detectors=[SliceDetector()])  # fmt: skip
    assert "weaker conditions, which were not combined" in found.looked[0].skipped


def test_a_regression_with_heavy_tails_and_weights() -> None:
    random = np.random.default_rng(1)
    rows = pl.DataFrame({"x": random.normal(size=2000), "z": random.normal(size=2000)})
    noise = random.standard_t(1.5, 2000) * np.where(rows["z"].to_numpy() > 1, 6.0, 1.0)
    rows = rows.with_columns(
        price=pl.col("x") + pl.Series(noise), prediction=pl.col("x"), w=pl.lit(2.0)
    )
    for weight in (None, "w"):
        found = diagnose(rows, truth="price", weight=weight)
        assert found.loss == "absolute error"
        assert any("z >" in each.title for each in found.findings)


def test_models_at_hand_are_asked() -> None:
    rows = table().drop("prediction").with_columns(pl.col("age").cast(pl.Float64))
    numbers = rows.select("age", "y")
    fitted = LogisticRegression().fit(numbers.select("age").to_pandas(), numbers["y"].to_numpy())
    found = diagnose(numbers, truth="y", model=fitted)
    assert {each.detector: each.skipped for each in found.looked}["label errors"] == ""
    truth = numbers["y"].to_numpy()
    expected = np.mean(fitted.predict(numbers.select("age").to_pandas()) != truth)
    assert found.mean_loss == pytest.approx(expected)
    by_hand = diagnose(rows, truth="y", model=lambda part: ["yes"] * part.height)
    assert by_hand.mean_loss == pytest.approx(float(np.mean(truth != "yes")))
    line = LinearRegression().fit(rows.select("age").to_pandas(), rows["age"])
    exact = diagnose(rows.select("age", price="age"), truth="price", model=line)
    assert exact.mean_loss == pytest.approx(0, abs=1e-6)


def test_columns_of_probabilities_may_name_truth_values_as_python_does() -> None:
    true = table()["y"] == "yes"
    yes = np.where(true, 0.8, 0.3)
    rows = table().with_columns(
        pl.Series("y", true),
        pl.Series("prediction", yes > 0.5),
        pl.Series("probability:True", yes),
        pl.Series("probability:False", 1 - yes),
    )
    case = read_case(rows, truth="y")
    assert case.task.class_names == ("false", "true")
    assert (case.stated[:, 1] == yes).all()


def test_a_class_that_no_row_has_may_be_said_of_rows() -> None:
    random = np.random.default_rng(0)
    names = np.array(["a", "b", "c"])
    shares = random.dirichlet([5, 5, 1], size=300)
    rows = pl.DataFrame({"x": random.normal(size=300), "z": random.normal(size=300)})
    truth = pl.Series("y", random.choice(["a", "b"], 300))
    stated = [pl.Series(f"probability:{name}", shares[:, at]) for at, name in enumerate(names)]
    said = pl.Series("prediction", names[shares.argmax(axis=1)])
    model = LogisticRegression().fit(rows.to_pandas(), random.choice(names, 300))
    for others, asked in ((stated, None), ([*stated, said], None), ([said], None), ([], model)):
        case = read_case(rows.with_columns(truth, *others), truth="y", model=asked)
        assert case.task.class_names == ("a", "b", "c")
        assert case.probabilities is None or case.stated.shape == (300, 3)
        assert case.losses.mean() == (case.predictions != case.truth).mean() < 1
    found = diagnose(rows.with_columns(truth, *stated), truth="y")
    assert found.n == 300

    numbers = rows.with_columns(y=pl.int_range(300) % 12, prediction=(pl.int_range(300) + 1) % 13)
    in_order = read_case(numbers, truth="y").task.class_names
    assert in_order == tuple(map(str, range(13)))


def test_the_kind_is_found_by_what_was_said_too() -> None:
    random = np.random.default_rng(0)
    n, k = 1000, 25
    codes, x = random.integers(k, size=n), random.normal(size=n)
    shares = random.dirichlet(np.ones(k), size=n)
    rows = pl.DataFrame({"x": x + codes, "y": codes, "prediction": shares.argmax(axis=1)})
    stated = rows.with_columns(pl.Series(f"probability:{at}", shares[:, at]) for at in range(k))
    case = read_case(stated, truth="y")
    assert (case.task.kind, case.stated.shape) == ("multiclass", (n, k))
    assert (case.stated == shares).all(), "classes that are numbers are in their order"
    model = GaussianNB().fit(rows.select("x").to_pandas(), codes)
    assert read_case(rows.select("x", "y"), truth="y", model=model).task.kind == "multiclass"
    assert read_case(rows, truth="y").task.kind == "regression"
    assert read_case(rows, truth="y", kind="multiclass").task.kind == "multiclass"

    ratings = pl.DataFrame({"x": x, "y": codes % 5 + 1, "prediction": codes % 5 + 1 + x})
    case = read_case(ratings, truth="y")
    assert (case.task.kind, case.losses.mean()) == ("regression", pytest.approx(np.abs(x).mean()))
    line = LinearRegression().fit(ratings.select("x").to_pandas(), ratings["y"])
    assert read_case(ratings.select("x", "y"), truth="y", model=line).task.kind == "regression"
    assert read_case(ratings.with_columns(y=pl.lit(3)), truth="y").task.kind == "regression"
    chances = ratings.with_columns(y=pl.col("y") % 2, prediction=pl.lit(0.3))
    with pytest.raises(InputError, match="two classes are fractions"):
        read_case(chances, truth="y")
    assert read_case(chances, truth="y", kind="regression").losses.mean() > 0


def test_of_too_many_rows_some_are_drawn_and_that_is_said() -> None:
    found = diagnose(table(1000), truth="y", most_rows=500)
    assert found.n == 500
    assert "500 of 1,000 rows were drawn" in found.sampling


def test_an_interrupt_keeps_what_was_found() -> None:
    class Interrupted:
        name, codes = "interrupted", {}

        def detect(self, part: object) -> Search:
            raise KeyboardInterrupt

    wanted: dict[str, Any] = {"truth": "y", "detectors": [SliceDetector(), Interrupted()]}
    found = diagnose(table(1000), **wanted)
    assert found.stopped
    assert found.findings
    assert [each.detector for each in found.looked] == ["slices"]
    asked: list[Estimate] = []
    told = diagnose(
        table(1000), explain="scripted:model", models={"scripted:model": ScriptedModel()},
        consent=lambda each: bool(asked.append(each)), **wanted,
    )  # fmt: skip
    assert (told.explained, asked) == (None, [])
    with pytest.raises(KeyboardInterrupt):
        found.whole()


def test_planted_faults_are_counted() -> None:
    rows = table(1500)
    yes = np.where(rows["prediction"] == "yes", 0.9, 0.1)
    found = plant(rows, truth="y", probabilities=np.column_stack([1 - yes, yes]), repeats=2)
    shares = {(each.fault, each.strength): each.found.estimate for each in found.faults}
    assert shares["slice of 1 condition", 0.6] >= 0.75
    assert shares["slice of 1 condition", 0.6] >= shares["slice of 1 condition", 0.1]
    assert ("flipped labels", 0.1) in shares
    assert found.false_alarms.n == 2


def test_a_column_of_words_may_be_called_count() -> None:
    words = pl.DataFrame({"count": ["few", "many", "many"] * 50, "y": ["a", "b", "b"] * 50})
    said = words.with_columns(prediction=pl.lit("a"))
    assert diagnose(said, truth="y", detectors=[SliceDetector()]).n == 150
