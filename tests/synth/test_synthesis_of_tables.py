from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project, synthesize
from assay.evidence import Evidence, Interval, Vault
from assay.evidence.spec import Verdict
from assay.ledger import Ledger
from assay.llm import Gateway, ScriptedModel
from assay.recipe import Tabular, Tfidf
from assay.synth.gate import Gate, Judgement
from assay.synth.methods import chosen_methods
from assay.synth.result import Dose
from assay.synth.spec import Order
from assay.synth.written import write_rows
from assay.task import ClassDescription, Task
from newsroom import TASK as NEWS
from newsroom import newsroom
from synth.tables_made_up import TASK, customers


def table(rows: int, rare: int) -> pl.DataFrame:
    random = np.random.default_rng(0)
    label = np.array(["rare"] * rare + ["common"] * (rows - rare))
    return pl.DataFrame(
        {
            "size": random.normal(np.where(label == "rare", 1.0, 0.0), 1.0),
            "colour": random.choice(["red", "green", "blue"], rows),
            "class": label,
        }
    )


@pytest.mark.slow
def test_a_table_is_tried_by_class_and_a_regression_as_a_whole(tmp_path: Path) -> None:
    project = Project.create(
        tmp_path / "p", table(360, 60), target="class", kind="binary", metric="auc"
    )
    assert chosen_methods("auto", project.task, "rare") == ("smote", "forest", "copula")
    result = synthesize(project, method="smote", doses=(1,), confirm=False)
    assert result.class_name == "rare"
    assert all(each.verdict.main.n == project.search().height for each in result.doses)
    project.ledger().close()
    prices = table(240, 60).with_columns(price=pl.col("size") * 3 + 1).drop("class")
    whole = Project.create(tmp_path / "q", prices, target="price", kind="regression", metric="mae")
    assert chosen_methods("auto", whole.task, None) == ("forest", "copula")
    result = synthesize(whole, method="copula", doses=(0.5,), confirm=False)
    assert result.class_name is None
    assert result.batches[0].kept > 0
    whole.ledger().close()


def test_a_model_writes_typed_rows_beside_balanced_examples(tmp_path: Path) -> None:
    rows = customers(80, seed=1)
    name = TASK.class_names[1]
    seen: list[str] = []

    def answer(prompt: object) -> dict[str, object]:
        seen.append(prompt.text)  # type: ignore[attr-defined]
        line = prompt.text.split("\n")[1]  # type: ignore[attr-defined]
        return dict(json.loads(line))

    with Ledger.open(tmp_path / "ledger") as ledger:
        scripted = ScriptedModel(generate=answer)  # type: ignore[arg-type]
        with Gateway(ledger, models={"scripted:model": scripted}) as gateway:
            order = Order(TASK, rows, name, 6, 0)
            written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    assert written.rows.height == 6
    kinds = {each: rows.schema[each] for each in TASK.inputs}
    assert {each: written.rows.schema[each] for each in TASK.inputs} == kinds
    assert all(f"Not of {name!r}:" in text for text in seen)
    assert all(len(each) == 4 for each in written.rows["shown"].to_list())


def test_a_text_beside_columns_is_written_with_them(tmp_path: Path) -> None:
    task = Task(
        kind="binary",
        modality="text",
        target="kind",
        text="words",
        features=("stars",),
        classes=(ClassDescription(name="bad"), ClassDescription(name="good")),
    )
    rows = pl.DataFrame(
        {
            "row_id": [str(each) for each in range(12)],
            "words": [f"slow service number {each}" for each in range(12)],
            "stars": list(range(12)),
            "kind": ["bad", "good"] * 6,
        }
    )
    with Ledger.open(tmp_path / "ledger") as ledger:
        scripted = ScriptedModel(generate=lambda _: {"c0": "cold soup", "c1": 1})
        with Gateway(ledger, models={"scripted:model": scripted}) as gateway:
            order = Order(task, rows, "bad", 4, 0)
            written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    assert written.rows.select("words", "stars", "kind").unique().rows() == [
        ("cold soup", 1, "bad")
    ]


@pytest.mark.slow
def test_a_rare_class_of_texts_with_columns_is_made_judged_and_told(tmp_path: Path) -> None:
    task = Task(
        kind="multiclass",
        modality="text",
        target="topic",
        text="text",
        features=("stars", "low", "high"),
        classes=NEWS.classes,
        metric="macro_f1",
    )
    random = np.random.default_rng(0)
    low = random.integers(1, 50, 330)
    rows = newsroom(330, seed=1, words=14).with_columns(
        stars=pl.Series(random.integers(1, 6, 330)),
        low=pl.Series(low),
        high=pl.Series(low + random.integers(0, 50, 330)),
    )
    project = Project.create(tmp_path / "p", rows.drop("row_id"), task=task)
    project.save_recipe(
        project.recipe.with_features(Tfidf(column="text"), Tabular(columns=task.features))
    )
    edited = synthesize(project, for_class="farm", method="edit", doses=(0.5,), confirm=False)
    made = project.ledger().read_table(edited.artefact)
    assert made.height
    assert set(made.select(task.features).rows()) <= set(
        project.search().select(task.features).rows()
    )
    assert any("stars, low, high are those of a real row" in each for each in edited.notes)
    assert edited.doses[0].verdict.main.n == project.search().height
    numbers = iter(range(10_000))

    def answer(_: object) -> dict[str, object]:
        words = " ".join(random.choice(["wheat", "corn", "crop", "soil", "barley", "rain"], 14))
        return {"c0": words, "c1": 5, "c2": 40, "c3": 30 + 20 * (next(numbers) % 2)}

    written = synthesize(
        project,
        for_class="farm",
        method="write",
        rows=40,
        doses=(0.1,),
        confirm=False,
        model="scripted:model",
        models={"scripted:model": ScriptedModel(generate=answer)},
    )
    assert written.batches[0].filters[0].why == {"low is at most high": 20}
    kept = project.ledger().read_table(written.artefact)
    assert set(kept["high"]) == {50}
    assert not any("those of a real row" in each for each in written.notes)
    project.ledger().close()


@pytest.mark.parametrize("confirm", [True, False])
def test_what_repeats_locked_rows_is_told_once_the_vault_has_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, confirm: bool
) -> None:
    def kept(gate: Gate, *_: object) -> Judgement:
        gain = Evidence("gain", 0.1, Interval(0.05, 0.15), 100, "as if")
        verdict = Verdict("kept", "as if", (gain,))
        dose = Dose("oversample", 1.0, "hash", verdict, 0.001, "proposal")
        recipe = gate.project.recipe.model_copy(update={"rarity": 1.0})
        return Judgement((dose,), dose, recipe, None)

    monkeypatch.setattr(Gate, "judge", kept)
    monkeypatch.setattr(Vault, "overlap", lambda _, made: made["row_id"].head(2))
    rows = customers(300, gaps=False).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="class", metric="macro_f1")
    result = synthesize(project, for_class="rare", method="oversample", doses=(1,), confirm=confirm)
    project.ledger().close()
    assert any("copies of locked rows" in each for each in result.notes) == confirm
