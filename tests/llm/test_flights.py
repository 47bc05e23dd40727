"""What left and what came back is noted beside the ledger, and made up for after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from assay.errors import LedgerError
from assay.ledger import Ledger
from assay.ledger.amounts import Amount, Caps
from assay.ledger.calls import Call, CallBook, Intent
from assay.llm import Gateway, Prompt, ScriptedModel, flights
from assay.llm.flights import Flights, put_on_record

WORST = Amount(9, 9, 1)


def reserved(ledger: Ledger, *keys: str, owner: str = "dead") -> tuple[CallBook, list[int]]:
    book = CallBook(ledger, ledger.start_run("a", {}))
    return book, book.reserve([Intent(key, WORST) for key in keys], Caps(), owner)[0]


def answer(key: str, intent: int, answer: str = '{"p": [1, 0], "é": "\\n"}') -> Call:
    return Call(key, "m", "choose", "answered", 3, 1, 5, 0.1, answer, None, "label", intent, WORST)


def gone(_: str) -> bool:
    return False


def test_after_a_kill_answers_count_and_what_never_left_is_released(ledger: Ledger) -> None:
    book, (first, second, _) = reserved(ledger, "answered", "on its way", "not sent")
    noted = Flights(ledger.flights, "dead", book.run)
    noted.left(first)
    noted.left(second)
    noted.landed(answer("answered", first))
    put_on_record(ledger, lambda owner: True)
    assert book.answered(["answered"]) == {}, "the process is alive and commits it itself"
    put_on_record(ledger, gone)
    assert book.answered(["answered"]) == {"answered": '{"p": [1, 0], "é": "\\n"}'}
    assert book.balance().spent == Amount(5, 4, 1)
    assert book.left_behind(gone) == {"on its way": [(second, WORST)]}
    assert not list(ledger.flights.iterdir())
    assert ledger.entries("call")[0].body["capability"] == "label"


def test_what_was_committed_is_not_counted_twice(ledger: Ledger) -> None:
    book, (number,) = reserved(ledger, "x")
    noted = Flights(ledger.flights, "dead", book.run)
    noted.left(number)
    noted.landed(answer("x", number))
    book.write([answer("x", number)])
    put_on_record(ledger, gone)
    assert book.balance().spent == Amount(5, 4, 1)
    assert book.balance().reserved == Amount()


def test_after_a_start_of_the_machine_nothing_is_taken_for_never_sent(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, numbers = reserved(ledger, "x", "y")
    Flights(ledger.flights, "dead", book.run).landed(answer("x", numbers[0]))
    monkeypatch.setattr(flights, "_boot", lambda: "another")
    put_on_record(ledger, gone)
    assert set(book.answered(["x", "y"])) == {"x"}
    assert set(book.left_behind(gone)) == {"y"}


def test_a_note_that_was_cut_off_is_no_note(ledger: Ledger) -> None:
    book, (first, second) = reserved(ledger, "x", "y")
    noted = Flights(ledger.flights, "dead", book.run)
    noted.landed(answer("x", first))
    noted.landed(answer("y", second))
    (path,) = ledger.flights.iterdir()
    written = path.read_bytes().rstrip(b"\0")
    path.write_bytes(written[:-5] + bytes(100))
    put_on_record(ledger, gone)
    assert set(book.answered(["x", "y"])) == {"x"}


def test_the_end_of_a_line_is_written_last() -> None:
    class Memory(bytearray):
        def __setitem__(self, place: Any, value: Any) -> None:
            super().__setitem__(place, value)
            states.append(bytes(self))

    states: list[bytes] = []
    segment = flights._Segment(Path(), cast(Any, Memory(20)))
    segment.write(b"12345\n")
    segment.write(b"7\n")
    assert [each.count(b"\n") for each in states] == [0, 1, 1, 2]
    assert states[-1].rstrip(b"\0") == b"12345\n7\n"


def test_where_a_note_is_lost_nothing_is_taken_for_never_sent(ledger: Ledger) -> None:
    book, (first, second, _) = reserved(ledger, "x", "y", "z")
    noted = Flights(ledger.flights, "dead", book.run)
    noted.left(first)
    noted.landed(answer("y", second))
    (path,) = ledger.flights.iterdir()
    header, *lines = path.read_bytes().rstrip(b"\0").split(b"\n")
    path.write_bytes(b"\n".join([header, bytes(len(lines[0])), *lines[1:]]))
    put_on_record(ledger, gone)
    assert set(book.answered(["x", "y", "z"])) == {"y"}
    assert set(book.left_behind(gone)) == {"x", "z"}, "either may have left"
    assert not list(ledger.flights.iterdir())


def test_a_file_whose_start_is_lost_is_in_nobodys_way(ledger: Ledger) -> None:
    ledger.flights.mkdir(parents=True, exist_ok=True)
    (ledger.flights / "dead-1.jsonl").write_bytes(bytes(50) + b"\n3\n")
    put_on_record(ledger, gone)
    assert not list(ledger.flights.iterdir())


def test_files_are_removed_as_the_ledger_gets_what_they_hold(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights, "_SEGMENT_BYTES", 600)
    noted = Flights(ledger.flights, "me", "run-1")
    for number in range(200):
        noted.left(number)
        noted.landed(answer("x" * number, number))
        if number >= 10:
            noted.settled(number - 10)
    assert len(list(ledger.flights.iterdir())) <= 11
    for number in range(190, 200):
        noted.settled(number)
    noted.close()
    assert not ledger.flights.exists()


def test_a_question_leaves_no_file_behind(ledger: Ledger, gateway: Callable[..., Gateway]) -> None:
    scripted = ScriptedModel(lambda prompt, options: [1, 9])
    assert gateway(scripted).choose(scripted.name, [Prompt("?", "a")], ["x", "y"]).complete
    assert not ledger.flights.exists()


def test_where_nothing_can_be_noted_no_request_leaves(
    ledger: Ledger, gateway: Callable[..., Gateway]
) -> None:
    Path(ledger.flights).write_text("in the way", encoding="utf-8")
    scripted = ScriptedModel(lambda prompt, options: [1, 9])
    with pytest.raises(LedgerError, match="could not be noted"):
        gateway(scripted).choose(scripted.name, [Prompt("?", "a")], ["x", "y"])
    assert not scripted.asked
