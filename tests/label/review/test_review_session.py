from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_labelling import NEWS, labelling

from assay.errors import InputError
from assay.label import LabelTask
from assay.label.review.clean import visible
from assay.label.review.desk import Desk
from assay.label.review.keys import Command, Keys, keys_for
from assay.label.review.opening import batches_of
from assay.label.review.record import Decision, read_decisions, record_import
from assay.label.review.screen import draw
from assay.label.review.session import Session
from assay.label.review.summary import summarise
from assay.label.store import recall
from assay.ledger import Ledger

MANY = LabelTask.of([f"class {number}" for number in range(77)])
SCHEMA = {"type": "object", "properties": {"price": {"type": "number"}}}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def desk(ledger: Ledger, reviewer: str = "ann", n: int = 10, **options: Any) -> Desk:
    recorded = recall(ledger)
    batches = batches_of(recorded, ledger, reviewer=reviewer, n=n)
    return Desk(recorded.result, ledger, batches, reviewer=reviewer, **options)


def press(keys: Keys, pressed: str | list[str]) -> tuple[Keys, Command | None]:
    command = None
    for key in pressed:
        keys, command = keys.press(key)
    return keys, command


def test_a_digit_is_a_class_and_enter_accepts() -> None:
    keys = keys_for(NEWS, "ships", ())
    assert press(keys, "1")[1] == Command("label", "farm")
    assert press(keys, ["enter"])[1] == Command("label", "ships")
    assert press(keys, "9")[1] is None
    assert press(keys_for(NEWS, None, ()), ["enter"])[1] is None
    for key, what in {"s": "skip", "u": "undo", "q": "quit", "r": "wrong"}.items():
        command = press(keys, key)[1]
        assert command is not None
        assert command.what == what


def test_many_classes_are_found_by_typing_and_the_likeliest_have_digits() -> None:
    keys = keys_for(MANY, None, ("class 60", "class 3"))
    assert press(keys, "2")[1] == Command("label", "class 3")
    assert len(keys.classes) == 9
    assert press(keys, [*"/class 76", "enter"])[1] == Command("label", "class 76")
    finding = press(keys, [*"/zz", "enter"])
    assert finding == (finding[0], None)
    assert finding[0].mode == "find"
    assert press(finding[0], ["backspace", "backspace", *"12", "enter"])[1] == Command(
        "label", "class 12"
    )
    assert press(keys, [*"/s", "escape", "s"])[1] == Command("skip")


def test_several_classes_are_toggled_then_confirmed() -> None:
    task = LabelTask(kind="multi", classes=NEWS.classes)
    keys = keys_for(task, ["ships"], ())
    assert press(keys, ["enter"])[1] == Command("label", ["ships"])
    assert press(keys, ["3", "2", "enter"])[1] == Command("label", ["money"])
    assert press(keys, ["2", "enter"])[1] == Command("label", [])


@pytest.mark.slow
@given(st.lists(st.sampled_from([*"123snu/ qv", "enter", "escape", "backspace"]), max_size=30))
@settings(max_examples=15, deadline=None)
def test_no_sequence_of_keys_breaks_the_desk(pressed: list[str]) -> None:
    """And whatever was pressed, a desk opened anew stands where the old one stood."""
    with TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.sqlite") as ledger:
        labelling(ledger, n=12)
        at = desk(ledger)
        for key in pressed:
            if not at.press(key):
                break
        again = desk(ledger)
        assert again.session.latest == at.session.latest
        if at.current is not None:
            assert again.current == at.current


def test_decisions_are_on_record_before_the_next_row_and_undo_brings_a_row_back(
    ledger: Ledger,
) -> None:
    result = labelling(ledger)
    at = desk(ledger)
    first = at.current
    at.press("1")
    assert [(each.row_id, each.label) for each in read_decisions(ledger, result.run)] == [
        (first, "farm")
    ]
    second = at.current
    assert second != first
    at.press("s")
    at.press("u")
    assert at.current == second
    at.press("u")
    assert at.current == first
    assert read_decisions(ledger, result.run) == []
    at.press("u")  # nothing is left to take back
    for key in ["n", *"odd", "enter"]:
        at.press(key)
    assert at.session.notes(str(first)) == ["odd"]
    assert at.current == first


def test_the_next_day_goes_on_with_the_same_rows_and_another_reviewer_gets_them_all(
    ledger: Ledger,
) -> None:
    labelling(ledger)
    at = desk(ledger)
    rows = at.session.row_ids
    for key in "12s3":
        at.press(key)
    tomorrow = desk(ledger)
    assert (tomorrow.session.row_ids, tomorrow.current) == (rows, at.current)
    assert (tomorrow.session.checked, tomorrow.session.skipped) == (3, [rows[2]])
    assert desk(ledger, "bob").session.row_ids == rows
    assert desk(ledger, "bob").current == rows[0]
    assert desk(ledger, show_skipped=True).current == rows[2]


def test_when_all_rows_are_decided_others_are_drawn(ledger: Ledger) -> None:
    labelling(ledger)
    at = desk(ledger)
    for number in range(10):
        assert at.press("1") == (number < 9)
    more = desk(ledger)
    assert len(more.session.row_ids) == 20
    assert more.current == more.session.row_ids[10]
    assert not set(more.session.row_ids[10:]) & set(more.session.row_ids[:10])


def test_a_review_measures_accuracy_and_finds_the_threshold(ledger: Ledger) -> None:
    """The surer half is right: from the review alone its threshold is found."""
    result = labelling(ledger, n=400, precision=0.8)
    assert result.coverage == 0
    sure = result.answers.probability > 0.75
    at = desk(ledger, n=150)
    while at.current is not None:
        at.press("enter" if sure[at.row] else "2")
    summary = summarise(result, ledger)
    assert summary.checked == 150
    accuracy = summary.changes["accuracy"]["after"]
    assert accuracy["interval"][0] <= sure.mean() <= accuracy["interval"][1]
    assert summary.changes["accuracy"]["before"] is None
    assert 0.6 < summary.changes["coverage"]["after"] < 0.9
    assert abs(summary.changes["threshold"]["after"] - 0.75) < 0.1
    assert any("coverage" in line for line in summary.lines())


def test_an_extraction_is_edited_and_an_unfit_edit_changes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(label: Any, _: LabelTask) -> Any:
        if not isinstance(label.get("price"), int | float):
            raise InputError("price must be a number.")
        return label

    class ScriptedKind:
        pass

    kind: Any = ScriptedKind()
    kind.check = check
    monkeypatch.setattr("assay.label.review.desk.kind_of", lambda _: kind)
    task = LabelTask(kind="extract", fields=SCHEMA)
    labelling(ledger, task=task, labels=[{"price": 1}] * 40)
    edits = iter([{"price": "much"}, {"price": 5}])
    at = desk(ledger, edit=lambda _: next(edits))
    first = str(at.current)
    with pytest.raises(InputError, match="number"):
        at.press("e")
    assert at.current == first
    at.press("e")
    assert at.session.latest[first].label == {"price": 5}
    second = str(at.current)
    at.press("r")
    assert at.session.latest[second].action == "wrong"
    checked = at.reviewed.checked
    assert checked is not None
    assert (checked.truth, checked.correct.tolist()) == ([{"price": 5}, None], [False, False])


def test_what_a_file_brought_is_not_undone_key_by_key(ledger: Ledger) -> None:
    result = labelling(ledger)
    rows = desk(ledger).session.row_ids
    brought = [Decision(each, "label", "ann", "farm") for each in rows[:4]]
    assert record_import(ledger, result.run, brought, source="tasks.json")
    assert record_import(ledger, result.run, brought[::-1], source="again.json") is None
    at = desk(ledger)
    assert at.current == rows[4]
    at.press("u")
    assert at.current == rows[4]
    assert len(read_decisions(ledger, result.run)) == 4


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_no_text_can_steer_the_terminal(text: str) -> None:
    shown = visible(text)
    assert all(each == "\n" or each.isprintable() or ord(each) > 0x9F for each in shown)
    assert not set(shown) & set("\x1b\x9b\x07\u202e\u2066\r")


def test_the_screen_shows_a_hostile_row_as_data(ledger: Ledger) -> None:
    from rich.console import Console

    hostile = "\x1b]0;owned\x07 [bold]x[/bold] \u202egnp\x9b2J " + "long " * 3000
    labelling(ledger, texts=[hostile, "short"])
    at = desk(ledger)
    at.press("1" if at.fields["text"] == "short" else "v")
    console = Console(width=70, height=20, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        lines = [line.plain for line in draw(at, console, message="bad\x1b[2J")]
    page = "\n".join(lines)
    assert len(lines) <= 20
    assert "page 2 of" in page or "<1B>]0;owned<07> [bold]x[/bold] <202E>gnp<9B>2J" in page
    assert not set(page) & set("\x1b\x9b\x07\u202e")
    assert "suggested" in page
    console = Console(width=70, height=20, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        assert "suggested" not in "\n".join(each.plain for each in draw(at, console, blind=True))


def test_a_session_ends_when_nothing_is_left() -> None:
    session = Session(("a", "b"))
    session = session.after(Decision("a", "label", "ann", "x", id="event-1"))
    assert session.current == "b"
    session = session.after(Decision("b", "skip", "ann", id="event-2"))
    assert session.current is None
    assert (session.checked, session.skipped) == (1, ["b"])
    assert np.unique([each.id for each in session.decisions]).size == 2
