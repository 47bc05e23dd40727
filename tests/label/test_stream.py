"""Files labelled piece by piece: the same as in memory, and on again after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scripted_kind import TASK, ScriptedKind, scripted, texts_of
from streamed_run import PIECE, gold_rows

import assay.label.recording as recording
import assay.label.run as running
import assay.label.stream as streaming
from assay.errors import InputError
from assay.label.door import Door
from assay.label.dry import forecast
from assay.label.explaining import explain
from assay.label.open import Desk, desk
from assay.label.review.filling import rows_to_fill
from assay.label.review.opening import batches_of, labelling_of
from assay.label.review.record import Decision, record_import
from assay.label.run import Order, run_labelling
from assay.label.spec import LabelSettings
from assay.label.store import recall
from assay.label.stream import stream_file
from assay.llm import Budget
from assay.tables import read_table, write_table
from llm.model_servers import KEY, CompatibleServer

ROWS = 700
SETTINGS = LabelSettings(models=("scripted:cheap", "scripted:strong"), fit_rows=80)
ORDER = Order(SETTINGS, precision=0.85, confidence=0.9)
GOLD = pl.DataFrame({"text": texts_of(200, 1), "label": ["yes"] * 200})


def rows_to_label() -> pl.DataFrame:
    texts = [*texts_of(ROWS - 30, 5), *GOLD["text"][:10], *["", None, "   "]]
    texts += [str(text).upper().replace("CHEAP", "cheap").replace("STRONG", "strong") + "  "
              for text in texts[:17]]  # fmt: skip
    return pl.DataFrame({"text": texts, "status": "new"})


@pytest.fixture
def models() -> dict[str, Any]:
    return {f"scripted:{name}": scripted(name) for name in ("cheap", "strong")}


@pytest.fixture
def at_desk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: dict[str, Any]
) -> Iterator[Desk]:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    for module in (running, streaming):
        monkeypatch.setattr(module, "kind_of", lambda _: ScriptedKind())
    with desk(None, models=models) as made:
        yield made


@pytest.mark.parametrize("ending", [".csv", ".jsonl.gz", ".parquet"])
def test_a_streamed_file_gets_the_labels_it_would_get_in_memory(
    tmp_path: Path, at_desk: Desk, models: dict[str, Any], ending: str
) -> None:
    path, out = tmp_path / f"in{ending}", tmp_path / f"out{ending}"
    write_table(rows_to_label(), path)
    task = TASK.model_copy(update={"inputs": ("text",)})
    streamed = stream_file(path, task, GOLD, out=out, desk=at_desk, order=ORDER, piece=64)
    asked = {name: len(each.asked) for name, each in models.items()}
    order = Order(SETTINGS, precision=0.85, confidence=0.9)
    whole = run_labelling(
        read_table(path), task, GOLD, order, gateway=at_desk.gateway, run=at_desk.run
    )
    assert {name: len(each.asked) for name, each in models.items()} == asked, "the same prompts"
    found = read_table(out)
    assert " ".join(found.columns) == "row_id text status label probability assay_status why"
    assert found["text"].to_list() == rows_to_label()["text"].to_list()
    assert found["status"].to_list() == ["new"] * ROWS
    table = whole.table
    assert found["label"].to_list() == table["label"].to_list()
    assert found["probability"].to_list() == table["probability"].to_list()
    assert found["assay_status"].to_list() == table["status"].to_list()
    assert found["why"].to_list() == table["why"].to_list()
    assert dict(streamed.status) == whole.summary.status
    assert streamed.coverage == whole.coverage
    assert streamed.copies == 17
    assert found["why"].to_list()[-1].endswith("same text as row 16")
    assert {"accepted", "review", "failed"} == set(table["status"])
    assert not list((at_desk.door.artefacts.parent / "labelling").glob("*"))


def test_a_cap_leaves_rows_failed_and_a_later_run_answers_them(
    tmp_path: Path, at_desk: Desk, models: dict[str, Any]
) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    pl.DataFrame({"text": texts_of(300, 5)}).write_csv(path)
    order = Order(SETTINGS.model_copy(update={"models": ("scripted:cheap",)}), 0.7, 0.9)
    with desk(None, models=models, budget=Budget(calls=400)) as capped:
        some = stream_file(path, TASK, GOLD, out=out, desk=capped, order=order, piece=50)
    assert some.status["failed"] == 300 + 200 - 400
    assert "cap on calls" in str(read_table(out).filter(status="failed")["why"][0])
    rest = stream_file(path, TASK, GOLD, out=out, desk=at_desk, order=order, piece=50)
    assert "failed" not in rest.status
    assert len(models["scripted:cheap"].asked) == 500


def test_annotators_that_a_cap_fitted_on_few_rows_are_fitted_anew_after_an_interruption(
    tmp_path: Path, at_desk: Desk, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    pl.DataFrame({"text": texts_of(300, 5)}).write_csv(path)
    order = Order(SETTINGS.model_copy(update={"models": ("scripted:cheap",)}), 0.7, 0.9)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with desk(None, models=models, budget=Budget(calls=120)) as capped, monkeypatch.context() as no:
        no.setattr(streaming, "_write_out", stop)
        with pytest.raises(KeyboardInterrupt):
            stream_file(path, TASK, GOLD, out=out, desk=capped, order=order, piece=50)
    found = stream_file(path, TASK, GOLD, out=out, desk=at_desk, order=order, piece=50)
    assert found.accuracy is not None
    assert found.accuracy.n == 200
    whole = run_labelling(
        read_table(path), TASK, GOLD, order, gateway=at_desk.gateway, run=at_desk.run
    )
    assert read_table(out)["label"].to_list() == whole.table["label"].to_list()
    assert found.guarantee == whole.guarantee
    assert len(models["scripted:cheap"].asked) == 500


def test_gold_may_name_rows_of_the_file_by_their_id(tmp_path: Path, at_desk: Desk) -> None:
    path = tmp_path / "in.csv"
    texts = texts_of(200, 5)
    pl.DataFrame({"row_id": [f"r{n}" for n in range(200)], "text": texts}).write_csv(path)
    gold = pl.DataFrame({"row_id": [f"r{n}" for n in range(0, 200, 2)], "label": ["yes"] * 100})
    stream_file(path, TASK, gold, out=tmp_path / "out.csv", desk=at_desk, order=ORDER, piece=64)
    found = read_table(tmp_path / "out.csv")
    assert found.filter(why="checked by a person")["row_id"].to_list() == gold["row_id"].to_list()


def test_a_dry_run_takes_gold_that_names_rows_by_their_id(tmp_path: Path, at_desk: Desk) -> None:
    path = tmp_path / "in.csv"
    rows = pl.DataFrame({"row_id": [f"r{n}" for n in range(200)], "text": texts_of(200, 5)})
    rows.write_csv(path)
    gold = pl.DataFrame({"row_id": [f"r{n}" for n in range(0, 200, 2)], "label": ["yes"] * 100})
    found = forecast(path, TASK, gold, gateway=at_desk.gateway, settings=SETTINGS, piece=64)
    assert (found.rows, found.gold) == (200, 100)


def test_rows_reviewed_in_another_file_are_gold_by_what_they_say(
    tmp_path: Path, at_desk: Desk
) -> None:
    ledger, path = at_desk.ledger, tmp_path / "in.csv"
    other = pl.DataFrame({"text": texts_of(80, 3)})
    run_labelling(other, TASK, None, ORDER, gateway=at_desk.gateway, run=at_desk.run)
    [batch] = batches_of(recall(ledger), ledger, reviewer="ann", n=60)
    answers = [Decision(row, "label", "ann", "yes") for row in batch.row_ids]
    record_import(ledger, at_desk.run, answers, source="test")
    pl.DataFrame({"text": texts_of(200, 5)}).write_csv(path)
    told = forecast(path, TASK, None, gateway=at_desk.gateway, settings=SETTINGS, reviewed=True)
    assert told.gold == 60
    order = replace(ORDER, reviewed=True)
    found = stream_file(path, TASK, out=tmp_path / "out.csv", desk=at_desk, order=order, piece=64)
    assert found.accuracy is not None
    assert found.accuracy.n == 60
    assert "checked by a person" not in read_table(tmp_path / "out.csv")["why"].to_list()


def test_mistakes_are_told_before_anything_is_asked(
    tmp_path: Path, at_desk: Desk, models: dict[str, Any]
) -> None:
    good = tmp_path / "in.csv"
    good.write_text("row_id,text\n" + "".join(f"{n % 90},row {n}\n" for n in range(100)))
    for path, out, part in (
        (tmp_path / "absent.csv", "out.csv", "no such file"),
        (good, "out.xlsx", "format"),
        (good, "out.arrow", "portions"),
        (good, "out.csv", "row_id"),
    ):
        with pytest.raises(InputError, match=part):
            stream_file(path, TASK, out=tmp_path / out, desk=at_desk, order=ORDER, piece=64)
        assert not (tmp_path / out).exists()
    assert not any(each.asked for each in models.values())
    with pytest.raises(InputError, match="engine"):
        Order(SETTINGS, engine="steam")


def test_a_streamed_labelling_can_be_reviewed_and_explained(
    tmp_path: Path, at_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "REVIEWED", 100)
    path, ledger = tmp_path / "in.parquet", at_desk.ledger
    write_table(rows_to_label(), path)
    task = TASK.model_copy(update={"inputs": ("text",)})
    stream_file(path, task, GOLD, out=tmp_path / "out.csv", desk=at_desk, order=ORDER, piece=64)
    kept, around = recall(ledger).result, recall(ledger, row_id="690")
    assert labelling_of(ledger, None, rows=read_table(path)).result.table.equals(kept.table)
    with pytest.raises(InputError, match="700 row ids"):
        recall(ledger, row_id="absent")
    assert rows_to_fill(recall(ledger), None).height == 60
    whole = run_labelling(
        read_table(path), task, GOLD, ORDER, gateway=at_desk.gateway, run=at_desk.run
    )
    here = whole.table["row_id"].is_in(kept.table["row_id"].implode())
    assert here.sum() == 100
    assert kept.table.equals(whole.table.filter(here))
    assert kept.acceptance == whole.acceptance
    assert "700 rows, 100 drawn at random" in kept.notes[-1]
    for name, votes in whole.answers.votes.items():
        np.testing.assert_array_equal(kept.answers.votes[name], votes[here.to_numpy()])
    told = explain(around.result, "690", at_desk.gateway, gold=around.gold,
                   settings=around.settings, words=False)  # fmt: skip
    assert told.why == whole.table["why"][690]
    assert told.label == whole.table["label"][690]


@pytest.mark.slow
def test_kill_9_asks_nothing_twice_and_changes_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    server = CompatibleServer()
    server.delay = 0.05
    rows = 900
    texts = [f"row {n} {'yes' if n % 2 else 'no'}" for n in range(rows)]
    outcomes = []
    for kills in (0, 3):
        folder = tmp_path / str(kills)
        folder.mkdir()
        pl.DataFrame({"text": texts}).write_csv(folder / "in.csv")
        monkeypatch.setenv("ASSAY_CACHE", str(folder / "cache"))
        script = str(Path(__file__).with_name("streamed_run.py"))
        command = [sys.executable, script, str(folder), server.url, "local"]
        server.texts.clear()
        for number in range(kills):
            worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert worker.stdout is not None
            worker.stdout.readline()
            answered = server.answered
            while server.answered < answered + 300 and worker.poll() is None:
                time.sleep(0.01)
            assert worker.poll() is None, f"killed {number} times, then it finished"
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            worker.stdout.close()
            assert not (folder / "out.csv").exists()
        parts = len(list((folder / "cache").glob("label/labelling/*/part-*.parquet")))
        assert (parts > 0) == (kills > 0)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "finished" in done.stdout
        outcomes.append((folder / "out.csv").read_bytes())
        asked = sum(server.texts.values())
        in_flight = 64 * 2  # requests on the wire, and answers that came within the last commit
        assert 2 * (rows + 60) <= asked <= 2 * (rows + 60) + kills * in_flight
        assert not list((folder / "cache").glob("label/labelling/*"))
    server.close()
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0].splitlines()) == rows + 1


@pytest.mark.slow
def test_two_nodes_of_ray_label_as_this_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    monkeypatch.setenv("ASSAY_API_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    nodes = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes.add_node(num_cpus=1)  # an actor takes a processor, so the two are on two nodes
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    server = CompatibleServer()
    outcomes = []
    for engine in ("local", "ray"):
        folder = tmp_path / engine
        folder.mkdir()
        texts = [f"row {n} {'yes' if n % 2 else 'no'}" for n in range(5 * PIECE)]
        pl.DataFrame({"text": texts}).write_csv(folder / "in.csv")
        script = str(Path(__file__).with_name("streamed_run.py"))
        environment = {"ASSAY_CACHE": str(folder / "cache")}
        done = subprocess.run(
            [sys.executable, script, str(folder), server.url, engine],
            env={**os.environ, **environment}, capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outcomes.append((folder / "out.csv").read_bytes())
    assert outcomes[0] == outcomes[1]
    assert server.answered == 2 * 2 * (5 * PIECE + gold_rows().height), "each asked once"
    nodes.shutdown()
    server.close()


def test_a_ledger_in_a_file_is_not_shared_by_several_machines(tmp_path: Path) -> None:
    door = Door(str(tmp_path / "ledger.sqlite"), tmp_path, "run-1")
    door.check_reach(1)
    with pytest.raises(InputError, match="ASSAY_LEDGER"):
        door.check_reach(2)
    Door("postgresql+psycopg://host/assay", tmp_path, "run-1").check_reach(2)
