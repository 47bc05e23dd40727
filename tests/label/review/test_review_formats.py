"""Round trips, each read by the real package where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_up_labelling import NEWS, labelling

from assay.errors import InputError
from assay.label import LabelResult, LabelTask
from assay.label.review.formats import export_rows, read_answers
from assay.label.review.formats.label_studio import configuration
from assay.label.review.formats.spans import from_units, to_units
from assay.label.review.formats.taking import Taken, take
from assay.ledger import Ledger

TEXTS = ["a cow, 007", "über\na ship \U0001f6a2 and 5 coins", "=1+1", "<b>coins</b>"]
FIELDS = {
    "type": "object",
    "properties": {
        "price": {"type": "number"},
        "thing": {"type": "string", "span": True},
    },
}
TASKS: dict[str, tuple[LabelTask, list[Any], Any]] = {
    "single": (NEWS, ["farm", "ships", "money", "farm"], "ships"),
    "multi": (
        LabelTask(kind="multi", classes=NEWS.classes),
        [["farm"], ["ships", "money"], [], ["money"]],
        ["farm", "money"],
    ),
    "ordinal": (
        LabelTask(kind="ordinal", classes=LabelTask.of(["low", "middle", "high"]).classes),
        ["low", "middle", "high", "low"],
        "high",
    ),
    "extract": (
        LabelTask(kind="extract", fields=FIELDS),
        [
            {"price": 5.0, "thing": {"text": "5 coins", "start": 18, "end": 25}} if at == 1 else
            {"price": 7.0, "thing": {"text": text[:2], "start": 0, "end": 2}}
            for at, text in enumerate(TEXTS)
        ],
        {"price": 9.0, "thing": {"text": "5 coins", "start": 18, "end": 25}},
    ),
}  # fmt: skip
KINDS = pytest.mark.parametrize("kind", list(TASKS))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def made(ledger: Ledger, kind: str = "single") -> LabelResult:
    task, labels, _ = TASKS[kind]
    return labelling(ledger, task=task, texts=TEXTS, labels=labels)


def sent(result: LabelResult, to: str, out: Path) -> Path:
    export_rows(result, result.rows.table["row_id"].to_list(), to, out)
    return out


def back(path: Path, result: LabelResult) -> Taken:
    ids = result.rows.table["row_id"].to_list()
    return take(read_answers(path, result, "ann"), result, ids)


def labels(taken: Taken) -> dict[str, Any]:
    return {each.row_id: each.label for each in taken.decisions}


def as_annotated(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return an export in which two people accepted every prediction."""
    return [
        {**{name: each[name] for name in ("data", "predictions")}, "id": number,
         "annotations": [
             {"id": 2 * number + who, "completed_by": {"id": who, "email": f"{who}@x.org"},
              "was_cancelled": False, "result": each["predictions"][0]["result"]}
             for who in (0, 1)
         ]}
        for number, each in enumerate(tasks)
    ]  # fmt: skip


@KINDS
def test_label_studio_takes_the_tasks_and_gives_back_what_was_accepted(
    kind: str, ledger: Ledger, tmp_path: Path
) -> None:
    result = made(ledger, kind)
    tasks = json.loads(sent(result, "label-studio", tmp_path / "tasks.json").read_text())
    assert (tmp_path / "tasks.xml").read_text() == configuration(result.task)
    assert {each["predictions"][0]["model_version"] for each in tasks} == {result.run}
    (tmp_path / "export.json").write_text(json.dumps(as_annotated(tasks)))
    taken = back(tmp_path / "export.json", result)
    assert labels(taken) == dict(zip("0123", TASKS[kind][1], strict=True))
    assert {each.reviewer for each in taken.decisions} == {
        "label-studio:0@x.org", "label-studio:1@x.org"
    }  # fmt: skip


def test_label_studios_own_package_finds_tasks_and_predictions_valid(
    ledger: Ledger, tmp_path: Path
) -> None:
    packages = os.environ.get("ASSAY_TEST_LABEL_STUDIO")
    if not packages:
        pytest.skip("ASSAY_TEST_LABEL_STUDIO names no folder; .ci/apart label-studio makes one")
    for kind in TASKS:
        (tmp_path / kind).mkdir()
        out = sent(made(ledger, kind), "label-studio", tmp_path / kind / "tasks.json")
        annotated = as_annotated(json.loads(out.read_text()))
        (tmp_path / kind / "annotated.json").write_text(json.dumps(annotated))
    reader = Path(__file__).with_name("label_studio_reader.py")
    done = subprocess.run(  # -S: the importer's packages are not mixed with this environment's
        [sys.executable, "-S", "-W", "ignore", reader, *TASKS], cwd=tmp_path, text=True,
        env={**os.environ, "PYTHONPATH": packages}, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {kind: [] for kind in TASKS}


def test_label_studios_annotations_with_skips_and_gaps(ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger)
    tasks = as_annotated(
        json.loads(sent(result, "label-studio", tmp_path / "tasks.json").read_text())
    )
    tasks[0]["annotations"][0]["was_cancelled"] = True
    tasks[1]["annotations"] = []
    tasks[2]["annotations"] = [{"completed_by": 7, "result": []}]
    (tmp_path / "export.json").write_text(json.dumps(tasks[:3]))
    taken = back(tmp_path / "export.json", result)
    assert labels(taken) == {"0": "farm"}
    assert (taken.skipped, taken.unanswered, taken.missing) == (1, 2, ("3",))


@KINDS
def test_argilla_reads_records_and_settings_and_writes_what_is_read_back(
    kind: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argilla = pytest.importorskip("argilla")
    from unittest.mock import MagicMock

    # Settings and records are read and written by the real package; no server is asked.
    monkeypatch.setattr(argilla.Argilla, "_default_client", MagicMock())
    task, suggested, other = TASKS[kind]
    result = made(ledger, kind)
    file = sent(result, "argilla", tmp_path / "records.json")
    settings = argilla.Settings.from_json(tmp_path / "records-settings.json")
    settings.validate()
    dumped = settings.serialize()
    assert dumped["questions"][0]["name"] == "label"
    assert {each["name"] for each in dumped["metadata"]} == {"probability", "run"}
    if task.classes and kind != "ordinal":
        options = dumped["questions"][0]["settings"]["options"]
        assert [each["value"] for each in options] == list(task.class_names)
    records = [argilla.Record.from_dict(each) for each in json.loads(file.read_text())]
    for number, record in enumerate(records):
        value = record.suggestions["label"].value
        chosen = other if number == 1 else suggested[number]
        if kind == "extract":
            value = json.dumps(chosen)
        elif number == 1:
            value = 3 if kind == "ordinal" else other
        user = "7b3c0b6e-6a1e-4b0e-9a56-6d6a2a1a1b11"
        record.responses.add(argilla.Response("label", value, user_id=user, status="submitted"))
    (tmp_path / "back.json").write_text(json.dumps([each.to_dict() for each in records]))
    taken = back(tmp_path / "back.json", result)
    assert labels(taken) == {
        str(row): other if row == 1 else each for row, each in enumerate(suggested)
    }


def test_argilla_responses_as_documented(ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger)
    records = json.loads(sent(result, "argilla", tmp_path / "records.json").read_text())
    records[0]["responses"] = {"label": [
        {"value": "farm", "user_id": "a"}, {"value": "ships", "user_id": "b"}]}  # fmt: skip
    records[1]["responses"] = {"label": [
        {"value": None, "user_id": "a", "status": "discarded"}]}  # fmt: skip
    (tmp_path / "back.json").write_text(json.dumps(records))
    taken = back(tmp_path / "back.json", result)
    assert {(each.reviewer, each.label) for each in taken.decisions} == {
        ("argilla:a", "farm"), ("argilla:b", "ships")
    }  # fmt: skip
    assert (taken.skipped, taken.unanswered) == (1, 2)


@KINDS
@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl"])
def test_tables_come_back_with_the_labels_filled_in(
    kind: str, ending: str, ledger: Ledger, tmp_path: Path
) -> None:
    result = made(ledger, kind)
    file = sent(result, "csv", tmp_path / f"rows.{ending}")
    assert back(file, result).unanswered == 4
    table = (
        pl.read_csv(file, infer_schema=False, separator="\t" if ending == "tsv" else ",")
        if ending in ("csv", "tsv") else
        pl.read_parquet(file) if ending == "parquet" else pl.read_ndjson(file)
    )  # fmt: skip
    filled = table.with_columns(label=pl.col("suggestion"), note=pl.lit("fine"))[1:]
    if ending in ("csv", "tsv"):
        filled.write_csv(file, separator="\t" if ending == "tsv" else ",")
    elif ending == "parquet":
        filled.write_parquet(file)
    else:
        filled.write_ndjson(file)
    taken = back(file, result)
    assert labels(taken) == {str(row): TASKS[kind][1][row] for row in (1, 2, 3)}
    assert {(each.reviewer, each.note) for each in taken.decisions} == {("ann", "fine")}
    assert taken.missing == ("0",)


@KINDS
def test_hugging_face_reads_the_folder_and_what_it_saves_comes_back(
    kind: str, ledger: Ledger, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    result = made(ledger, kind)
    loaded = datasets.load_from_disk(str(sent(result, "huggingface", tmp_path / "rows")))
    assert loaded["row_id"][:] == ["0", "1", "2", "3"]
    assert loaded["text"][:] == TEXTS
    assert loaded["label"][:] == [None] * 4
    if kind in ("single", "ordinal"):
        feature = loaded.features["label"]
        assert isinstance(feature, datasets.ClassLabel)
        assert feature.names == list(result.task.class_names)
    filled = loaded.map(lambda row: {"label": row["suggestion"]}, load_from_cache_file=False)
    filled.save_to_disk(str(tmp_path / "filled"))
    taken = back(tmp_path / "filled", result)
    assert labels(taken) == dict(zip("0123", TASKS[kind][1], strict=True))


def test_the_folder_comes_back_without_the_package_too(ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger)
    folder = sent(result, "huggingface", tmp_path / "rows")
    assert back(folder, result).unanswered == 4
    with pytest.raises(InputError, match="taken"):
        sent(result, "huggingface", folder)
    (folder / "state.json").write_text("{}")
    with pytest.raises(InputError, match="no dataset"):
        back(folder, result)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"label": ["fram", "ships"]}, "'fram' is none of the task's"),
        ({"row_id": ["0", "99"]}, "unknown row .row 99"),
        ({"text": ["a cow, 007", "another ship"]}, "text was edited .row 1"),
        ({"row_id": ["0", "0"], "text": [TEXTS[0]] * 2}, "two labels by one person"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(
    change: dict[str, list[str]], said: str, ledger: Ledger, tmp_path: Path
) -> None:
    result = made(ledger)
    good = {"row_id": ["0", "1"], "text": TEXTS[:2], "label": ["farm", "ships"]}
    file = tmp_path / "rows.parquet"
    pl.DataFrame(good).write_parquet(file)
    assert len(back(file, result).decisions) == 2
    pl.DataFrame({**good, **change}).write_parquet(file)
    with pytest.raises(InputError, match=said):
        back(file, result)


def test_the_same_answer_twice_counts_once(ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger)
    file = tmp_path / "rows.parquet"
    pl.DataFrame({"row_id": ["0", "0"], "label": ["farm", "farm"]}).write_parquet(file)
    taken = back(file, result)
    assert (len(taken.decisions), taken.repeated) == (1, 1)


@pytest.mark.parametrize("content", ["{}", "[1]", "[{\"x\": 1}]", "no JSON"])  # fmt: skip
def test_other_files_are_told_apart(content: str, ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger)
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError):
        back(tmp_path / "x.json", result)
    with pytest.raises(InputError, match="no such file"):
        back(tmp_path / "gone.csv", result)
    with pytest.raises(InputError, match="exported"):
        export_rows(result, [], "prodigy", tmp_path / "y")


def test_positions_are_counted_as_javascript_does() -> None:
    text = "a \U0001f6a2 b"
    assert [to_units(text, at) for at in range(6)] == [0, 1, 2, 4, 5, 6]
    assert [from_units(text, at) for at in (0, 1, 2, 4, 5, 6)] == [0, 1, 2, 3, 4, 5]


def test_a_span_that_does_not_stand_in_the_text_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    result = made(ledger, "extract")
    tasks = as_annotated(
        json.loads(sent(result, "label-studio", tmp_path / "tasks.json").read_text())
    )
    tasks[1]["annotations"][0]["result"][0]["value"]["start"] += 1
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    with pytest.raises(InputError, match="does not stand in the text"):
        back(tmp_path / "export.json", result)
