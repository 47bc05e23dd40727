"""The Labeller among scikit-learn's tools, on scripted models."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from assay.errors import InputError
from assay.label import Labeller, LabelTask
from assay.label.labeller import _as_in
from assay.llm import Prompt, ScriptedModel
from newsroom import WORDS, newsroom, topic_counts

ROWS = newsroom(120, seed=1)
X, Y = ROWS["text"].to_list(), ROWS["topic"].to_list()
NEW = newsroom(30, seed=2)
NAME = "scripted:topics"


def choose(prompt: Prompt, options: Sequence[str]) -> list[float]:
    scores = topic_counts([prompt.text])[0] + 0.1
    topics = sorted(WORDS)
    order = [next((code for code, topic in enumerate(topics) if topic in option), None)
             for option in options]  # fmt: skip
    order = [int(option) if code is None else code
             for code, option in zip(order, options, strict=True)]  # fmt: skip
    return [float(each) for each in scores[order] / scores[order].sum()]


def embed(text: str) -> list[float]:
    return [float(each) for each in topic_counts([text])[0] + 0.01]


def labeller(**changes: Any) -> Labeller:
    scripted = ScriptedModel(choose, embed=embed, name="topics")
    return Labeller(**{"model": NAME, "embed": NAME, "models": {NAME: scripted}} | changes)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))


def test_it_learns_from_gold_and_gives_probabilities() -> None:
    fitted = labeller().fit(X, Y, unlabelled=NEW["text"])
    assert fitted.classes_.tolist() == sorted(WORDS)
    shares = fitted.predict_proba(NEW["text"].to_list())
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert fitted.predict(NEW["text"]).tolist() == fitted.classes_[shares.argmax(axis=1)].tolist()
    assert fitted.score(NEW["text"], NEW["topic"]) > 0.9
    assert fitted.checked_ is not None


@pytest.mark.parametrize("form", [list, np.array, pd.Series, pl.Series])
def test_texts_come_in_any_form(form: Any) -> None:
    fitted = labeller().fit(form(X), form(Y))
    assert fitted.predict(form(X[:9])).tolist() == labeller().fit(X, Y).predict(X[:9]).tolist()


def test_tables_are_read_by_column() -> None:
    table = ROWS.select("text").with_columns(label=pl.lit("misleading"), n=pl.lit(3))
    task = {topic: topic for topic in sorted(WORDS, reverse=True)}
    fitted = labeller(task=task).fit(table, Y)
    assert fitted.n_features_in_ == 3
    assert fitted.classes_.tolist() == sorted(WORDS)
    assert (fitted.predict(table.to_pandas()) == np.array(Y)).mean() > 0.9


def test_classes_may_be_numbers() -> None:
    codes = {topic: code for code, topic in enumerate(sorted(WORDS))}
    task = {str(code): topic for topic, code in codes.items()}
    fitted = labeller(task=task).fit(X, [codes[each] for each in Y])
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert fitted.score(X, [codes[each] for each in Y]) > 0.9


def test_a_class_that_y_lacks_is_written_as_the_others_are() -> None:
    task = LabelTask.of(["1", "2", "10"])
    assert _as_in([1, 2, 1], task) == {"1": 1, "2": 2, "10": 10}
    assert _as_in([1.0, 2.5], LabelTask.of(["1.0", "2.5", "3"])) == {"1.0": 1, "2.5": 2.5, "3": 3}
    assert _as_in(["Farm"], LabelTask.of(["farm", "money"])) == {"farm": "Farm", "money": "money"}
    for labels in ([1, 2], [True]):
        with pytest.raises(InputError, match=r"side by side.*many"):
            _as_in(labels, LabelTask.of(["1", "2", "true", "many"]))


def test_it_is_copied_pickled_and_configured() -> None:
    made = labeller()
    again = clone(made)
    assert again.get_params()["model"] == NAME
    assert again.set_params(embed="local:minilm").embed == "local:minilm"
    fitted = made.fit(X, Y)
    back = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - as scikit-learn keeps models
    np.testing.assert_array_equal(back.predict_proba(X[:9]), fitted.predict_proba(X[:9]))


@pytest.mark.slow
def test_it_works_in_pipelines_and_cross_validation() -> None:
    lower = FunctionTransformer(lambda texts: [each.lower() for each in texts])
    pipeline = Pipeline([("lower", lower), ("label", labeller())])
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.9


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_valid_tag_types,
    ],
    ids=lambda check: check.__name__,
)
def test_it_keeps_the_conventions_of_estimators(check: Any) -> None:
    check("Labeller", labeller())


def test_mistakes_are_named() -> None:
    with pytest.raises(NotFittedError):
        labeller().predict(X)
    for rows, labels, task, part in (
        (X, Y[:-1], None, "one row each"),
        (X, ["sport"] * len(X), None, "two classes"),
        (np.zeros((4, 3)), ["a", "b"] * 2, None, "texts or a table"),
        (X, Y, ["sport", "money"], "none of the classes"),
    ):
        with pytest.raises(InputError, match=part):
            labeller(task=task).fit(rows, labels)
    with pytest.raises(InputError, match="Row 1 cannot"):
        labeller().fit(X, Y).predict(["fine words", " "])
