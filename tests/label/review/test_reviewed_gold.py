from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from made_up_labelling import NEWS, labelling

from assay.label import LabelTask, label
from assay.label.review.gold import reviewed_gold, with_reviewed
from assay.label.review.opening import batches_of
from assay.label.review.outcome import agreed
from assay.label.review.record import Decision, read_batches, read_decisions, record_import
from assay.label.store import recall
from assay.ledger import Ledger
from assay.project import Project
from labelled import SETTINGS, scripted_topics
from newsroom import newsroom

TASK = NEWS.model_copy(update={"inputs": ("text",)})


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def review(ledger: Ledger, run: str, answers: dict[str, dict[str, str]]) -> None:
    """Record what each reviewer said."""
    made = [
        Decision(row, "label", reviewer, said)
        for reviewer, some in answers.items()
        for row, said in some.items()
    ]
    record_import(ledger, run, made, source="test")


def test_most_reviewers_decide_and_a_split_decides_nothing(ledger: Ledger) -> None:
    run = labelling(ledger).run
    review(ledger, run, {
        "ann": {"1": "farm", "2": "farm", "3": "money"},
        "bob": {"1": "ships", "2": "farm"},
        "eve": {"1": "ships"},
    })  # fmt: skip
    found = agreed(read_decisions(ledger, run))
    assert found.labels == {"1": "ships", "2": "farm", "3": "money"}
    review(ledger, run, {"dan": {"2": "ships"}, "joe": {"2": "ships"}})
    assert agreed(read_decisions(ledger, run)).disputed == {"2"}


def test_reviewed_rows_are_gold_with_the_weight_of_their_draw(ledger: Ledger) -> None:
    labelling(ledger, n=40)
    recorded = recall(ledger)
    [batch] = batches_of(recorded, ledger, reviewer="ann", n=36)
    review(ledger, recorded.result.run, {"ann": dict.fromkeys(batch.row_ids, "ships")})
    gold = reviewed_gold(ledger, TASK)
    assert gold is not None
    assert gold.columns == ["row_id", "text", "label", "weight"]
    assert gold.height == 36
    drawn = gold.filter(pl.col("weight") == 1)["row_id"].to_list()
    assert set(drawn) == read_batches(ledger, recorded.result.run)[0].at_random
    assert len(drawn) == 12
    assert gold["text"].to_list() == [f"text number {each}" for each in gold["row_id"]]


def test_too_few_drawn_rows_are_no_gold_yet(ledger: Ledger) -> None:
    run = labelling(ledger).run
    review(ledger, run, {"ann": {"1": "farm"}})  # nobody drew it
    assert reviewed_gold(ledger, TASK) is None
    [batch] = batches_of(recall(ledger), ledger, reviewer="ann", n=30)
    drawn = sorted(batch.at_random)
    review(ledger, run, {"bob": dict.fromkeys(drawn[:8], "farm")})
    assert reviewed_gold(ledger, TASK) is None
    review(ledger, run, {"bob": dict.fromkeys(drawn, "farm")})
    gold = reviewed_gold(ledger, TASK)
    assert gold is not None
    assert gold.height >= 10


def test_two_files_that_number_rows_alike_do_not_mix(ledger: Ledger) -> None:
    for name in ("a cow", "a coin"):
        result = labelling(ledger, texts=[name, *(f"ship {row}" for row in range(35))])
        [batch] = batches_of(recall(ledger), ledger, reviewer="ann", n=36)
        said = dict.fromkeys(batch.row_ids, "ships") | {"0": "farm"}
        review(ledger, result.run, {"ann": said})
    gold = reviewed_gold(ledger, TASK)
    assert gold is not None
    assert set(gold["text"]) == {"a cow", "a coin", *(f"ship {row}" for row in range(35))}
    assert gold["row_id"].n_unique() == gold.height == 37
    renamed = TASK.model_copy(update={"classes": NEWS.classes[:2]})
    assert reviewed_gold(ledger, renamed) is not None
    other = LabelTask(kind="multi", classes=NEWS.classes, inputs=("text",))
    assert reviewed_gold(ledger, other) is None
    assert reviewed_gold(ledger, NEWS.model_copy(update={"inputs": ("body",)})) is None


def test_what_was_reviewed_for_another_question_is_no_gold(ledger: Ledger) -> None:
    urgent = TASK.model_copy(update={"target": "urgent"})
    labelling(ledger, task=urgent)
    recorded = recall(ledger)
    [batch] = batches_of(recorded, ledger, reviewer="ann", n=36)
    review(ledger, recorded.result.run, {"ann": dict.fromkeys(batch.row_ids, "ships")})
    assert reviewed_gold(ledger, TASK.model_copy(update={"target": "spam"})) is None
    for same in (urgent, TASK):  # the latter has no name of its own
        assert reviewed_gold(ledger, same) is not None


def test_the_users_own_gold_comes_first(ledger: Ledger) -> None:
    result = labelling(ledger, texts=["a cow", *(f"ship {row}" for row in range(35))])
    [batch] = batches_of(recall(ledger), ledger, reviewer="ann", n=36)
    review(ledger, result.run, {"ann": dict.fromkeys(batch.row_ids, "ships")})
    own = pl.DataFrame({"text": ["a cow", "a bank"], "label": ["money", "money"]})
    both = with_reviewed(own, ledger, TASK)
    assert both.height == 37
    assert dict(zip(both["text"], both["label"], strict=True))["a cow"] == "money"
    assert both["weight"][:2].to_list() == [1.0, 1.0]
    by_id = pl.DataFrame({"row_id": ["0"], "label": ["farm"]})
    assert with_reviewed(by_id, ledger, TASK) is by_id


def test_the_next_labelling_in_the_project_learns_from_the_review(tmp_path: Path) -> None:
    rows = newsroom(120)
    project = Project.create(tmp_path / "project", newsroom(260), target="topic")
    model = scripted_topics()
    options = {"settings": SETTINGS, "models": {model.name: model}, "project": project}
    task = project.task
    before = label(rows.drop("topic"), task, **options)
    assert before.checked is None
    ledger = project.ledger()
    [batch] = batches_of(recall(ledger), ledger, reviewer="ann", n=60)
    truth = dict(zip(rows["row_id"], rows["topic"], strict=True))
    review(ledger, before.run, {"ann": {each: truth[each] for each in batch.row_ids}})
    after = label(rows.drop("topic"), task, precision=0.8, **options)
    assert after.checked is not None
    assert len(after.checked.row_ids) == 60
    assert after.accuracy is not None
    assert after.accuracy.n == 20
    assert len(after.given) >= 60
    assert label(rows.drop("topic"), task, gold=rows[:30], **options).checked is not None
