from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.recipe import (
    Decision,
    Estimator,
    Recipe,
    Tabular,
    Tools,
    fit_recipe,
    out_of_fold,
    recipe_from_toml,
    recipe_to_toml,
    splits,
    training_rows,
)
from assay.recipe.deciding import DecidingModel, best_threshold
from assay.tables.predicate import Condition, Predicate
from assay.task import ClassDescription, Task

TASK = Task(
    kind="binary",
    modality="tabular",
    target="churned",
    features=("size", "region"),
    classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
    metric="accuracy",
)
PLAIN = Recipe(
    features=(Tabular(columns=TASK.features),),
    estimator=Estimator(path="sklearn.linear_model.LogisticRegression"),
)
NORTH = Condition("region", "=", "north")
LARGE = Condition("size", ">", 0.5)


def customers(count: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    size = random.normal(size=count)
    churned = random.random(count) < 1 / (1 + np.exp(2 - size))
    return pl.DataFrame(
        {
            "row_id": [f"r{number}" for number in range(count)],
            "size": size,
            "region": random.choice(["north", "south"], count),
            "churned": np.where(churned, "yes", "no"),
        }
    )


ROWS = customers(400, seed=1)
NEW = customers(4000, seed=2)


def tools() -> Tools:
    def absent(*_: object, **__: object) -> np.ndarray:
        raise AssertionError("nothing is asked for")

    return Tools(read_table=absent, embed=absent)  # type: ignore[arg-type]


def cost(predicted: np.ndarray, *, false_alarm: float, miss: float) -> float:
    truth, alarm = NEW["churned"].to_numpy() == "yes", predicted == "yes"
    return float(np.mean(false_alarm * (alarm & ~truth) + miss * (~alarm & truth)))


def test_stated_costs_lower_the_cost_on_new_rows() -> None:
    costly = PLAIN.with_costs(false_alarm=1, miss=20)
    model = fit_recipe(costly, ROWS, TASK, tools=tools(), seed=0)
    plain = fit_recipe(PLAIN, ROWS, TASK, tools=tools(), seed=0)
    assert isinstance(model, DecidingModel)
    assert model.threshold < 0.2
    np.testing.assert_array_equal(model.predict_proba(NEW), plain.predict_proba(NEW))
    told = model.predictions(NEW, probabilities=False)
    assert cost(told, false_alarm=1, miss=20) < 0.8 * cost(
        plain.predict(NEW), false_alarm=1, miss=20
    )


def test_a_metric_of_costs_decides_at_their_threshold() -> None:
    costly = TASK.model_copy(update={"metric": "cost_1_20"})
    model = fit_recipe(PLAIN, ROWS, costly, tools=tools(), seed=0)
    plain = fit_recipe(PLAIN, ROWS, TASK, tools=tools(), seed=0)
    assert isinstance(model, DecidingModel)
    assert model.threshold == 1 / 21
    decided = fit_recipe(PLAIN.with_threshold("macro_f1"), ROWS, costly, tools=tools(), seed=0)
    assert isinstance(decided, DecidingModel)
    assert decided.threshold == 1 / 21, "a recipe is used as it was judged"
    assert (model.predict_proba(NEW) == plain.predict_proba(NEW)).all()
    assert cost(model.predict(NEW), false_alarm=1, miss=20) < 0.8 * cost(
        plain.predict(NEW), false_alarm=1, miss=20
    )


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=30),
    st.sampled_from([Decision(), Decision(miss=20), Decision(aim="macro_f1")]),
)
@settings(max_examples=60, deadline=None)
def test_no_threshold_serves_the_rows_at_hand_better(
    rows: list[tuple[bool, int]], decision: Decision
) -> None:
    from sklearn.metrics import f1_score

    positive = np.array([each for each, _ in rows])
    found = np.array([each / 8 for _, each in rows])

    def loss(threshold: float) -> float:
        alarm = found >= threshold
        if decision.aim == "macro_f1":
            labels = [False, True]
            return -float(
                f1_score(positive, alarm, labels=labels, average="macro", zero_division=0)
            )
        false, missed = np.sum(alarm & ~positive), np.sum(~alarm & positive)
        return float(decision.false_alarm * false + decision.miss * missed)

    chosen = loss(best_threshold(decision, positive, found))
    assert chosen <= min(loss(each / 16) for each in range(18)) + 1e-9


def test_the_stated_threshold_holds_where_rows_are_too_few_to_part() -> None:
    few = pl.concat([ROWS.filter(pl.col("churned") == name).head(2) for name in ("no", "yes")])
    model = fit_recipe(PLAIN.with_costs(false_alarm=1, miss=3), few, TASK, tools=tools(), seed=0)
    assert isinstance(model, DecidingModel)
    assert model.threshold == 0.25


def test_a_threshold_needs_two_classes_and_probabilities() -> None:
    three = TASK.model_copy(
        update={"kind": "multiclass", "classes": (*TASK.classes, ClassDescription(name="maybe"))}
    )
    with pytest.raises(InputError, match="two classes"):
        fit_recipe(PLAIN.with_threshold(), ROWS, three, tools=tools(), seed=0)
    machine = PLAIN.with_estimator("sklearn.svm.LinearSVC").with_threshold()
    with pytest.raises(InputError, match="gives probabilities"):
        fit_recipe(machine, ROWS, TASK, tools=tools(), seed=0)


@pytest.mark.parametrize(("metric", "fits"), [("accuracy", 7), ("log_loss", 1), ("auc", 1)])
def test_a_threshold_that_the_metric_does_not_read_costs_no_fit(
    metric: str, fits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn.linear_model import LogisticRegression

    done, own = [], LogisticRegression.fit

    def counted(self: LogisticRegression, *given: object, **named: object) -> object:
        done.append(1)
        return own(self, *given, **named)

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    task = TASK.model_copy(update={"metric": metric})
    recipes = (PLAIN, PLAIN.with_threshold())
    found = splits(ROWS, task, seed=0)[:2]
    first, second = out_of_fold(recipes, ROWS, task, found, tools=tools(), seed=0)
    assert len(done) == len(found) * fits
    if fits == 1:
        np.testing.assert_array_equal(first.predictions[0], second.predictions[0])


def test_chosen_rows_weigh_more_and_factors_multiply() -> None:
    recipe = PLAIN.with_weight(Predicate((NORTH,)), 3).with_weight(Predicate((NORTH, LARGE)), 2)
    weights = training_rows(recipe, ROWS, TASK, tools(), seed=0).weights
    north, large = (ROWS["region"] == "north").to_numpy(), (ROWS["size"] > 0.5).to_numpy()
    np.testing.assert_array_equal(weights, np.where(north, np.where(large, 6.0, 3.0), 1.0))


def test_an_edit_has_one_hash_and_survives_its_text() -> None:
    edited = PLAIN.with_costs(false_alarm=1, miss=20).with_weight(Predicate((NORTH, LARGE)), 3)
    other = PLAIN.with_costs(false_alarm=1, miss=20).with_weight(Predicate((LARGE, NORTH)), 3)
    assert edited.hash == other.hash != PLAIN.hash
    again = recipe_from_toml(recipe_to_toml(edited))
    assert again == edited
    assert again.hash == edited.hash
    assert "decision" not in PLAIN.plain()
    assert "weighted" not in PLAIN.rows.plain()


def test_a_written_condition_that_cannot_hold_is_refused() -> None:
    text = recipe_to_toml(PLAIN.with_weight(Predicate((LARGE,)), 3)).replace("0.5", '"much"')
    with pytest.raises(InputError, match="needs a number"):
        recipe_from_toml(text)
