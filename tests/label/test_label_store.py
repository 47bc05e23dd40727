from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.errors import LedgerError
from assay.label import LabelResult, LabelSettings, LabelTask
from assay.label.rows import read_rows
from assay.label.spec import Answers, Checked, Cost, Gold, Stage, Step
from assay.label.store import load, recall, save
from assay.ledger import Ledger
from assay.llm import Spend

MULTI = LabelTask(kind="multi", classes=LabelTask.of(["spam", "offer"]).classes)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def result(run: str, n: int = 60) -> LabelResult:
    random = np.random.default_rng(0)
    texts = [f"message {row}" for row in range(n - 1)] + [" "]
    rows, task = read_rows(texts, MULTI)
    probability = random.uniform(0.4, 1, n)
    probability[-1] = np.nan
    labels = [["spam", "offer"] if row % 2 else [] for row in range(n)]
    answers = Answers(
        [*labels[:-1], None],
        probability,
        why=dict(rows.why),
        votes={"model": random.uniform(size=(n, 2)), "neighbours": random.uniform(size=(n, 2))},
        flags={3: "cut"},
    )
    scores = random.uniform(size=400)
    checked = Checked(
        [f"g{row}" for row in range(400)],
        [["spam"]] * 400,
        [["spam"]] * 400,
        scores,
        random.uniform(size=400) < 0.7 + 0.3 * scores,
        np.linspace(1, 3, 400),
    )
    return LabelResult(
        task=task,
        rows=rows,
        answers=answers,
        checked=checked,
        given={5: ["offer"]},
        precision=0.9,
        confidence=0.95,
        steps=(Step("model", True, "asked", accuracy=0.5),),
        notes=("a note",),
        spend=Spend(money=0.5, calls=3),
        seconds=1.5,
        run=run,
        stages=(
            Stage("local:a", True, "the first", checked=checked, judged=True),
            Stage("local:b", False, "it would not pay", 0.5, expected=Cost(1.0, 2, 3)),
        ),
    )


def test_a_labelling_comes_back_whole_from_another_connection(tmp_path: Path) -> None:
    gold = Gold(
        pl.DataFrame({"row_id": ["g1"], "text": ["checked"]}),
        ["checked"],
        [["spam"]],
        np.array([2.0]),
    )
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        before = result(ledger.start_run("label", {}))
        save(before, ledger, gold=gold, settings=LabelSettings(seed=7))
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        found = recall(ledger)
    after = found.result
    assert after.as_dict() == before.as_dict()
    assert after.table.equals(before.table)
    assert after.answers.labels == before.answers.labels
    np.testing.assert_array_equal(after.answers.votes["model"], before.answers.votes["model"])
    assert (after.rows.texts, after.rows.why) == (before.rows.texts, before.rows.why)
    assert after.given == {5: ["offer"]}
    stricter = after.rethreshold(precision=0.97), before.rethreshold(precision=0.97)
    assert stricter[0].acceptance == stricter[1].acceptance
    assert found.gold is not None
    assert (found.gold.texts, found.gold.labels) == (["checked"], [["spam"]])
    assert found.gold.weights is not None
    assert found.settings.seed == 7


def test_the_latest_labelling_or_the_one_of_a_run(ledger: Ledger) -> None:
    first, second = (ledger.start_run("label", {}) for _ in range(2))
    save(result(first, 10), ledger)
    save(result(second, 20), ledger)
    assert len(load(ledger).rows) == 20
    assert len(load(ledger, first).rows) == 10


def test_what_is_no_labelling_is_told(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="No labelling is on record"):
        load(ledger)
    run = ledger.start_run("improve", {})
    with pytest.raises(LedgerError, match="no labelling"):
        load(ledger, run)
    with pytest.raises(LedgerError, match="No entry"):
        load(ledger, "run-99")


def test_labelling_leaves_its_record(tmp_path: Path) -> None:
    from assay.label.run import Order, run_labelling
    from assay.llm import Gateway, ScriptedModel

    scripted = ScriptedModel(lambda prompt, _: [0.9, 0.1] if len(prompt.text) % 2 else [0.2, 0.8])
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.start_run("label", {})
        with Gateway(ledger, run=run, models={scripted.name: scripted}) as gateway:
            made = run_labelling(
                ["one", "four", ""],
                LabelTask.of(["odd", "even"]),
                None,
                Order(LabelSettings(models=(scripted.name,), embed=scripted.name)),
                gateway=gateway,
                run=run,
            )
        assert load(ledger, run).table.equals(made.table)
