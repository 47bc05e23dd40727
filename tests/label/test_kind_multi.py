from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.label.multi import MultiLabel, accept_by_class
from assay.label.spec import CHANCES
from assay.label.task import LabelTask
from assay.task import ClassDescription
from labelled import labelling
from newsroom import COMMON, WORDS

TASK = LabelTask(kind="multi", classes=tuple(ClassDescription(name=each) for each in WORDS))
NAMES = list(WORDS)


def documents(rows: int, seed: int, noise: float = 0.0) -> pl.DataFrame:
    """Texts of none to three topics; with ``noise``, some labels lack a topic that is there."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for row in range(rows):
        held = [name for name in NAMES if random.random() < 0.4]
        words = [random.choice(WORDS[name]) for name in held for _ in range(2)]
        words += random.choice(COMMON, 4).tolist()
        texts.append(" ".join([*random.permutation(words).tolist(), f"no{seed}x{row}"]))
        labels.append([name for name in held if random.random() >= noise])
    return pl.DataFrame({"text": texts, "label": labels}, schema_overrides={"label": pl.List(str)})


def test_sets_are_found_and_none_is_a_set(tmp_path: Path) -> None:
    rows = documents(120, 1)
    with labelling(tmp_path) as label:
        result = label(rows.select("text"), TASK, documents(80, 2), precision=0.8)
    found = result.table["label"].to_list()
    truth = rows["label"].to_list()
    assert np.mean([one == other for one, other in zip(found, truth, strict=True)]) > 0.9
    assert [] in found
    assert result.checked is not None
    assert result.accuracy is not None
    assert result.coverage > 0.8
    assert result.answers.votes[CHANCES].shape == (120, 3)


def test_a_row_is_right_where_its_whole_set_is(tmp_path: Path) -> None:
    with labelling(tmp_path) as label:
        result = label(documents(20, 1).select("text"), TASK, documents(80, 2, noise=0.3))
    checked = result.checked
    assert checked is not None
    told = [one == other for one, other in zip(checked.labels, checked.truth, strict=True)]
    assert checked.correct.tolist() == told
    assert 0 < checked.correct.mean() < 1
    # Stated certainty is met on the whole, though held out.
    assert abs(checked.probability.mean() - checked.correct.mean()) < 0.1


def test_each_class_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    with labelling(tmp_path) as label:
        result = label(documents(60, 1).select("text"), TASK, documents(400, 2), precision=0.9)
    by_class = accept_by_class(result, precision=0.8)
    assert set(by_class.acceptances) == set(NAMES)
    assert all(each.reachable for each in by_class.acceptances.values())
    proposed = result.table.explode("label").drop_nulls("label").height
    assert by_class.table.height == proposed
    assert by_class.table["accepted"].mean() > 0.8  # type: ignore[operator]
    with pytest.raises(InputError, match="multi-label"):
        accept_by_class(label_without_gold(tmp_path))


def label_without_gold(folder: Path) -> Any:
    (folder / "other").mkdir()
    with labelling(folder / "other") as label:
        return label(documents(30, 1).select("text"), TASK)


def test_without_gold_rows_are_labelled_and_nothing_is_claimed(tmp_path: Path) -> None:
    rows = documents(200, 3)
    with labelling(tmp_path) as label:
        result = label(rows.select("text"), TASK, precision=0.9)
    assert result.checked is None
    assert result.coverage == 0
    pairs = zip(result.table["label"].to_list(), rows["label"].to_list(), strict=True)
    assert np.mean([one == other for one, other in pairs]) > 0.5


def test_a_set_may_be_written_in_several_ways() -> None:
    check = MultiLabel().check
    assert check("money; farm", TASK) == ["farm", "money"]
    assert check(json.dumps(["sport"]), TASK) == ["sport"]
    assert check(["SPORT ", "farm"], TASK) == ["farm", "sport"]
    assert check([], TASK) == []
    assert check("[]", TASK) == []
    with pytest.raises(InputError, match="none of the classes"):
        check("farm; ships", TASK)
    with pytest.raises(InputError, match="no list"):
        check("[farm", TASK)


def test_the_fitted_labeller_can_be_sent_elsewhere_and_answers_in_any_portions(
    tmp_path: Path,
) -> None:
    from assay.ledger import Ledger
    from assay.llm import Gateway
    from labelled import SETTINGS, scripted_topics

    model = scripted_topics()
    texts = documents(30, 5)["text"].to_list()
    with (
        Ledger.open(tmp_path / "l.sqlite") as ledger,
        Gateway(ledger, models={model.name: model}) as gateway,
    ):
        fitted = MultiLabel().fit(texts, None, TASK.model_copy(update={"inputs": ("text",)}),
                                  gateway, SETTINGS)  # fmt: skip
        again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
        whole = fitted.answer(texts, gateway).probability
        parts = [again.answer(texts[at : at + 7], gateway).probability for at in range(0, 30, 7)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
