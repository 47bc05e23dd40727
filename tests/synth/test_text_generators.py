from __future__ import annotations

import json

import polars as pl
import pytest

from assay.errors import InputError
from assay.ledger import Ledger
from assay.llm import Gateway, ScriptedModel
from assay.recipe import Tools, baseline_recipe
from assay.recipe.rows import training_rows
from assay.synth.curation import NoCopies
from assay.synth.spec import Order
from assay.synth.text import curated_texts, made_texts
from assay.synth.written import attribute_plan, write_rows
from newsroom import TASK, newsroom

ROWS = newsroom(90, seed=1, words=14)
FARM = ROWS.filter(pl.col("topic") == "farm")


@pytest.mark.parametrize("method", ["edit", "recombine"])
def test_made_texts_hold_words_of_their_class_alone(method: str) -> None:
    made = made_texts(ROWS, TASK, method=method, class_name="farm", count=50, seed=3)  # type: ignore[arg-type]
    known = {word for text in FARM["text"] for word in text.split()}
    assert made.height == 50
    assert {word for text in made["text"] for word in text.split()} <= known
    assert set(made["made_from"]) <= set(FARM["row_id"])
    assert not set(made["text"]) <= set(FARM["text"])
    again = made_texts(ROWS, TASK, method=method, class_name="farm", count=50, seed=3)  # type: ignore[arg-type]
    assert made.equals(again)


def test_curated_texts_repeat_no_real_row() -> None:
    made = curated_texts(ROWS, TASK, method="edit", class_name="farm", count=20, seed=3)
    assert 0 < made.height <= 20
    assert not set(made["text"]) & set(ROWS["text"])


def test_a_text_of_100_kb_is_cut_at_both_ends() -> None:
    long = "start " + "middle " * 15_000 + "end"
    rows = FARM.head(4).with_columns(text=pl.lit(long))
    made = made_texts(rows, TASK, method="edit", class_name="farm", count=5, seed=0)
    assert made["text"].str.len_chars().max() < 10_000  # type: ignore[operator]


def test_a_class_with_one_row_is_refused() -> None:
    rows = pl.concat([FARM.head(1), ROWS.filter(pl.col("topic") != "farm")])
    with pytest.raises(InputError, match="Too few rows"):
        made_texts(rows, TASK, method="edit", class_name="farm", count=5, seed=0)


def test_the_plan_is_balanced_and_its_topics_are_words_of_the_class() -> None:
    plan = attribute_plan(FARM, TASK, seed=0)
    words = {word for text in FARM["text"] for word in text.split()}
    assert all(set(cell.topic.split(", ")) <= words for cell in plan.cells)
    assigned = plan.assigned(3 * len(plan.cells) + 1, seed=0)
    counts = [assigned.count(cell) for cell in plan.cells]
    assert set(counts) == {3, 4}


def _gateway(ledger: Ledger, answer: object) -> tuple[Gateway, ScriptedModel]:
    scripted = ScriptedModel(generate=answer)  # type: ignore[arg-type]
    return Gateway(ledger, models={"scripted:model": scripted}), scripted


def test_a_model_is_shown_search_rows_as_data_and_what_it_saw_is_kept(tmp_path) -> None:  # type: ignore[no-untyped-def]
    numbers = iter(range(1000))
    with Ledger.open(tmp_path / "ledger") as ledger:
        gateway, scripted = _gateway(
            ledger, lambda _: {"c0": f"harvest of wheat number {next(numbers)}"}
        )
        with gateway:
            order = Order(TASK, ROWS, "farm", 20, 7)
            written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    assert written.asked == written.rows.height == 20
    assert written.stopped is None
    own = set(FARM["row_id"])
    assert all(len(each) == 3 and set(each) <= own for each in written.rows["shown"].to_list())
    told = scripted.asked[0].text.split("\n")[2:]
    assert all(json.loads(line)["c0"] in set(FARM["text"]) for line in told)
    assert written.rows["prompt_hash"].n_unique() == 20
    assert sum(written.planned.values()) == 20
    assert dict(written.rows["planned_cell"].value_counts().rows()) == written.planned
    assert all(
        f"Wanted: {cell}." in asked.text
        for cell, asked in zip(written.rows["planned_cell"], scripted.asked, strict=True)
    )


def test_a_model_that_repeats_itself_is_stopped_and_said_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Ledger.open(tmp_path / "ledger") as ledger:
        gateway, _ = _gateway(ledger, lambda _: {"c0": "the same wheat again"})
        with gateway:
            order = Order(TASK, ROWS, "farm", 500, 7)
            written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    assert written.asked == 16
    assert "repeats itself" in str(written.stopped)


def test_examples_that_come_back_are_dropped_and_counted(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def parrot(prompt: object) -> dict[str, str]:
        return dict(json.loads(prompt.text.split("\n")[2]))  # type: ignore[attr-defined]

    with Ledger.open(tmp_path / "ledger") as ledger:
        gateway, _ = _gateway(ledger, parrot)
        with gateway:
            order = Order(TASK, ROWS, "farm", 10, 7)
            written = write_rows(order, method="write", model="scripted:model", gateway=gateway)
    sifted = NoCopies().sift(written.rows, order)
    assert sifted.kept.is_empty()
    assert set(sifted.dropped["why"]) == {"repeats a search row"}


def test_counterfactuals_start_from_other_classes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with Ledger.open(tmp_path / "ledger") as ledger:
        gateway, _ = _gateway(ledger, lambda prompt: {"c0": prompt.text[8:40] + " wheat"})
        with gateway:
            order = Order(TASK, ROWS, "farm", 8, 7)
            written = write_rows(
                order, method="counterfactual", model="scripted:model", gateway=gateway
            )
    assert not set(written.rows["made_from"]) & set(FARM["row_id"])
    assert set(written.rows["topic"]) == {"farm"}


def test_a_written_row_trains_no_fold_that_judges_a_row_its_writer_saw(tmp_path) -> None:  # type: ignore[no-untyped-def]
    first, second, third = ROWS["row_id"][:3].to_list()
    extra = ROWS[:2].select(
        pl.Series("text", ["new wheat", "new corn"]),
        pl.lit("farm").alias("topic"),
        pl.Series("made_from", [first, first]),
        pl.Series("shown", [[first, second], [first, third]]),
    )
    with Ledger.open(tmp_path / "ledger") as ledger:
        artefact = ledger.put_table(extra, name="extra.parquet")
        tools = Tools(ledger.read_table, lambda *_, **__: None)  # type: ignore[arg-type, return-value]
        recipe = baseline_recipe(TASK)
        rows = recipe.rows.model_copy(update={"extra": (artefact,)})
        recipe = recipe.model_copy(update={"rows": rows})
        judged = ROWS.filter(pl.col("row_id") == second)
        others = ROWS.filter(pl.col("row_id") != second)
        found = training_rows(recipe, others, TASK, tools, 0, judged).rows["text"].to_list()
    assert "new corn" in found
    assert "new wheat" not in found
