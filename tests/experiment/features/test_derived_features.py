"""New features are functions that see no target, run in the sandbox, and must pass the gate."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.experiment.features import (
    DerivedFeatureSource,
    WrittenFeatureSource,
    features_module,
)
from assay.experiment.order import without_columns
from assay.ledger import Ledger
from assay.llm import Gateway, ScriptedModel
from assay.recipe import (
    Derived,
    Observation,
    Proposal,
    Tools,
    baseline_recipe,
    recipe_from_toml,
    recipe_to_toml,
    run_trial,
)
from assay.recipe.derived import DerivedEncoder, values_of
from assay.task import ClassDescription, Task

INPUTS = ("weight", "height", "limit", "city", "street", "joined", "left", "note")
TASK = Task(
    kind="binary",
    modality="tabular",
    target="ill",
    features=INPUTS,
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
)


def _people(n: int = 240) -> pl.DataFrame:
    """Return rows in which weight by height beside a limit decides, which no plane can say."""
    random = np.random.default_rng(0)
    height, ratio = random.lognormal(0, 1.5, n), random.uniform(1, 3, n)
    limit = random.uniform(1, 3, n)
    start = date(2024, 1, 1)
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(n)],
            "weight": np.where(random.random(n) < 0.95, height * ratio, np.nan),
            "height": height,
            "limit": limit,
            "city": random.choice(["a", "b", "c"], n),
            "street": random.choice([f"s{number}" for number in range(30)], n),
            "joined": [start + timedelta(days=int(each)) for each in random.integers(0, 99, n)],
            "left": [start + timedelta(days=int(each)) for each in random.integers(99, 300, n)],
            "note": [f"Seen {number} times on the ward, No complaint" for number in range(n)],
            "ill": np.where(ratio > limit, "yes", "no"),
        }
    ).with_columns(pl.col("weight").fill_nan(None))


def _seen(tmp_path: Path, model: Any = None, task: Task = TASK) -> Observation:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    models = {} if model is None else {"scripted:model": model}
    return Observation(
        task=task,
        recipe=baseline_recipe(task),
        search=_people(),
        pool=_people(0).drop("ill"),
        gateway=Gateway(ledger, models=models),
        ledger=ledger,
        seed=0,
        label_model="local:smollm2-135m" if model is None else "scripted:model",
    )


def _derived(body: str, *columns: str) -> Derived:
    code = f"def feature(rows, seen):\n    import polars as pl\n    {body}\n"
    return Derived(name="made", columns=columns or ("weight", "height"), code=code)


def _feature(proposal: Proposal, observation: Observation) -> Derived:
    added = proposal.apply(observation.recipe).features[-1]
    assert isinstance(added, Derived)
    return added


def test_rules_write_functions_that_run(tmp_path: Path) -> None:
    observation = _seen(tmp_path)
    found = {each.name: each for each in DerivedFeatureSource().propose(observation)}
    assert list(found) == [
        "ratios of numbers",
        "counts of categories",
        "numbers beside their group",
        "parts of dates",
        "lengths of texts",
        "empty columns",
    ]
    rows = observation.search
    train, new = rows.head(200), rows.tail(40)
    for proposal in found.values():
        feature = _feature(proposal, observation)
        assert TASK.target not in feature.columns
        values = values_of(feature, new, train)
        assert values.height == new.height
        assert proposal.apply(proposal.apply(observation.recipe)) == proposal.apply(
            observation.recipe
        )
    counts = values_of(_feature(found["counts of categories"], observation), new, train)
    expected = [train["street"].to_list().count(each) for each in new["street"]]
    assert counts["rows with this street"].to_list() == expected
    ratios = values_of(_feature(found["ratios of numbers"], observation), new, train)
    weight, height = new["weight"], new["height"]
    assert ratios["weight / height"].to_list() == pytest.approx((weight / height).to_list())


def test_a_text_task_and_a_bare_table_get_no_functions(tmp_path: Path) -> None:
    bare = TASK.model_copy(update={"features": ("height",)})
    assert list(DerivedFeatureSource().propose(_seen(tmp_path, task=bare))) == []


@pytest.mark.slow
def test_the_gate_keeps_the_ratio_that_decides(tmp_path: Path) -> None:
    observation = _seen(tmp_path)
    ratio = next(iter(DerivedFeatureSource().propose(observation)))
    task = TASK.model_copy(update={"features": ("weight", "height", "limit")})
    before = baseline_recipe(task)
    trial = run_trial(
        before,
        ratio.apply(before),
        observation.search,
        task,
        tools=Tools.of(observation.ledger, observation.gateway),
        seed=0,
        folds=3,
        repeats=1,
    )
    assert trial.gain.interval.low > 0


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return rows['ill']", '"ill" not found'),
        ("return rows['weight'] - rows['weight'].mean()", "depends on the other rows"),
        ("return rows['weight'].head(3)", "3 values for"),
        ("return 1", "no Polars table or column"),
        ("return rows['height'].cast(pl.String)", "holds no numbers"),
        ("return rows['height'].hight", "no attribute"),
        ("open('/etc/passwd').read()", "'/etc/passwd'"),
        ("return rows.select(pl.col('height').alias(str(n)) for n in range(65))", "65 columns"),
    ],
)
def test_a_function_that_is_not_usable_says_why(body: str, why: str) -> None:
    with pytest.raises(InputError) as raised:
        values_of(_derived(body), _people(20))
    assert why in str(raised.value)


def test_what_is_absent_or_infinite_becomes_the_mean_of_training_rows() -> None:
    encoder = DerivedEncoder(_derived("return 1 / (rows['height'] - 2)", "height"))
    train = pl.DataFrame({"height": [1.0, 3.0, 2.0]})
    found = encoder.fit_transform(train)
    assert found.ravel().tolist() == pytest.approx([-(1.5**0.5), 1.5**0.5, 0.0])
    assert encoder.transform(pl.DataFrame({"height": [None, 2.0]})).tolist() == [[0.0], [0.0]]
    nan = pl.DataFrame({"height": [float("nan"), 1.0]})
    assert encoder.transform(nan)[0, 0] == 0.0
    with pytest.raises(InputError, match="no column 'height'"):
        encoder.transform(pl.DataFrame({"weight": [1.0]}))


def test_a_recipe_with_a_function_reads_back_and_can_lose_a_column() -> None:
    derived = _derived("return rows['weight']")
    recipe = baseline_recipe(TASK).with_feature(derived)
    assert recipe_from_toml(recipe_to_toml(recipe)) == recipe
    assert 'code = """' in recipe_to_toml(recipe)
    assert derived not in without_columns(recipe, ["height"]).features


def test_a_model_writes_features_without_seeing_a_row(tmp_path: Path) -> None:
    idea = {
        "name": "stoutness",
        "why": "doctors look at it",
        "columns": ["weight", "height"],
        "code": "def feature(rows, seen):\n    return rows['weight'] / rows['height']",
    }
    cheat = idea | {"name": "cheating", "columns": ["ill"]}
    scripted = ScriptedModel(generate=lambda _: {"ideas": [idea, cheat]})
    observation = _seen(tmp_path, scripted)
    (proposal,) = WrittenFeatureSource().propose(observation)
    assert proposal.origin == "scripted:model"
    values = values_of(_feature(proposal, observation), observation.search)
    assert values.width == 1
    (prompt,) = scripted.asked
    assert not any(each in prompt.text for each in observation.search["note"])
    assert set(prompt.columns) == {*INPUTS, "ill"}


def test_the_embedded_model_is_not_asked_for_code(tmp_path: Path) -> None:
    assert list(WrittenFeatureSource().propose(_seen(tmp_path))) == []


def test_kept_features_are_a_module_with_their_evidence() -> None:
    told = 'def feature(rows, seen):\n    """What it is."""\n    return rows["weight"]\n'
    features = [
        Derived(name="2nd ratio", columns=("weight",), code=told),
        _derived("return rows['height']"),
        _derived("return rows['weight']"),
    ]
    text = features_module(features, {"2nd ratio": "Accuracy rose by 0.10 [0.05, 0.15]."})
    tree = ast.parse(text)
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    assert [each.name for each in functions] == ["feature_2nd_ratio", "made", "made_2"]
    documented = ast.get_docstring(functions[0])
    assert documented.startswith("What it is.\n\nReads: weight.")
    assert "0.10 [0.05, 0.15]" in documented
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 (our own text)
    assert names["feature_2nd_ratio"]({"weight": 5}, None) == 5
