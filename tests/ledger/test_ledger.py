from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from assay.errors import InputError, LedgerError
from assay.ledger import Ledger
from assay.ledger.database import writing_to
from assay.ledger.schema import TABLES, intents


def test_what_is_recorded_is_found_again(opened: Callable[[], Ledger]) -> None:
    first = opened()
    run = first.start_run("improve", {"seed": 1})
    body = {"gain": 0.1, "names": ["a", "é\u0000"], "none": None, "deep": {"x": [1, 2]}}
    trial = first.record("trial", body, run=run, key="weights")
    again = opened()
    entry = again.get(trial)
    assert (entry.kind, entry.run, entry.key, entry.body) == ("trial", run, "weights", body)
    assert abs(entry.time - datetime.now(UTC)) < timedelta(minutes=1)
    assert again.find("trial", "weights") == entry
    assert again.get(run).body == {"seed": 1}


def test_find_returns_the_newest_of_a_key(ledger: Ledger) -> None:
    ledger.record("verdict", {"n": 1}, key="k")
    newest = ledger.record("verdict", {"n": 2}, key="k")
    found = ledger.find("verdict", "k")
    assert found is not None
    assert found.id == newest
    assert ledger.find("verdict", "other") is None


def test_entries_come_newest_last_and_can_be_narrowed(ledger: Ledger) -> None:
    run = ledger.start_run("one", {})
    ids = [ledger.record(kind, {}, run=run) for kind in ("proposal", "trial", "verdict", "trial")]
    other = ledger.record("event", {})
    assert [each.id for each in ledger.entries()] == [run, *ids, other]
    assert [each.id for each in ledger.entries(run=run)] == [run, *ids]
    assert [each.id for each in ledger.entries("trial")] == [ids[1], ids[3]]
    assert [each.id for each in ledger.entries(limit=2)] == [ids[3], other]
    assert ledger.entries(limit=0) == []


@pytest.mark.parametrize("table", [*TABLES.values(), intents], ids=str)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_nothing_can_be_changed(ledger: Ledger, table: sa.Table, verb: str) -> None:
    fill(ledger)
    change = sa.update(table).values(key="x") if verb == "UPDATE" else sa.delete(table)
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing_to(ledger.engine) as to:
        to.execute(change)


def test_nothing_can_be_replaced_or_truncated(ledger: Ledger) -> None:
    fill(ledger)
    if ledger.engine.dialect.name == "sqlite":
        change = "INSERT OR REPLACE INTO trials (n, time, body) VALUES (1, '2020-01-01', '{}')"
    else:
        change = "TRUNCATE trials"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing_to(ledger.engine) as to:
        to.execute(sa.text(change))
    assert ledger.get("trial-1").body == {"a": 1}


def fill(ledger: Ledger) -> None:
    from assay.ledger.amounts import Amount, Caps
    from assay.ledger.calls import Call, CallBook, Intent

    run = ledger.start_run("fill", {})
    for kind in ("event", "proposal", "trial", "evidence", "verdict", "look"):
        ledger.record(kind, {"a": 1}, run=run)
    ledger.put_artefact(b"x", name="x", media_type="text/plain")
    book = CallBook(ledger, run)
    book.reserve([Intent("k", Amount(1, 1, 1))], Caps(), "me")
    book.write([Call("k", "m", "choose", "answered", 1, 1, 1, 0.1, answer="{}")])


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, {1}, b"x", object()], ids=lambda v: type(v).__name__
)
def test_a_body_that_is_not_json_is_refused_by_name(tmp_path: Path, value: object) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(LedgerError, match=r"body\['a'\]\[1\]"):
            ledger.record("event", {"a": [0, value]})
        assert ledger.entries() == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.text(), json_values, max_size=4))
def test_any_json_comes_back_as_it_was(ledger: Ledger, body: dict[str, object]) -> None:
    assert ledger.get(ledger.record("event", body)).body == body


def test_ids_that_are_not_there_are_told_with_the_nearest(ledger: Ledger) -> None:
    ledger.record("trial", {})
    with pytest.raises(LedgerError, match="trial-1 to trial-1"):
        ledger.get("trial-7")
    with pytest.raises(LedgerError, match=r"Allowed: trial\."):
        ledger.get("trail-1")
    with pytest.raises(LedgerError, match="not a ledger id"):
        ledger.get("nonsense")
    with pytest.raises(LedgerError, match="no verdict is recorded yet"):
        ledger.get("verdict-1")
    with pytest.raises(LedgerError, match="start_run"):
        ledger.record("event", {}, run="run-99")
    with pytest.raises(LedgerError, match="kind"):
        ledger.record("call", {})


def test_a_claimed_key_is_recorded_once(opened: Callable[[], Ledger]) -> None:
    ledgers = [opened() for _ in range(4)]
    outcomes: list[str] = []

    def claim(ledger: Ledger) -> None:
        try:
            outcomes.append(ledger.record("look", {}, key="vault-1", unique=True))
        except LedgerError as error:
            outcomes.append(str(error))

    threads = [threading.Thread(target=claim, args=(each,)) for each in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledgers[0].entries("look")) == 1
    assert sum("recorded already" in each for each in outcomes) == 3


def test_artefacts_are_kept_by_content_and_verified(ledger: Ledger) -> None:
    run = ledger.start_run("one", {})
    first = ledger.put_artefact(b"hello", name="a", media_type="text/plain", run=run)
    assert ledger.put_artefact(b"hello", name="b", media_type="text/plain") == first
    assert len(ledger.entries("artefact")) == 1
    assert ledger.read_artefact(first) == b"hello"
    entry = ledger.get(first)
    assert entry.run == run
    assert entry.body["size"] == 5
    path = next(path for path in ledger.artefacts.rglob("*") if path.is_file())
    path.write_bytes(b"hullo")
    with pytest.raises(LedgerError, match="altered"):
        ledger.read_artefact(first)
    path.unlink()
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.read_artefact(first)
    ledger.put_artefact(b"hello", name="a", media_type="text/plain")
    assert ledger.read_artefact(first) == b"hello"
    with pytest.raises(LedgerError, match="not an artefact"):
        ledger.read_artefact(run)


def test_tables_of_equal_content_are_one_artefact(ledger: Ledger) -> None:
    table = pl.DataFrame({"row_id": ["a", "b", "c"], "x": [1.0, None, 2.0], "y": [["p"], [], None]})
    pieces = pl.concat([table[:1], table[1:]], rechunk=False)
    first = ledger.put_table(table, name="votes")
    assert ledger.put_table(pieces, name="votes") == first
    assert ledger.put_table(table.head(2), name="votes") != first
    assert_frame_equal(ledger.read_table(first), table)


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    def write(part: int) -> None:
        for index in range(20):
            ledger.record("event", {"part": part, "index": index})

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {(each.body["part"], each.body["index"]) for each in ledger.entries("event")}
    assert len(seen) == 80


def test_a_server_needs_a_folder_for_artefacts(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="artefacts must be given"):
        Ledger.open("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(InputError, match="not known"):
        Ledger.open("mysql://somewhere/x", tmp_path)
    with pytest.raises(LedgerError) as told:
        Ledger.open("postgresql://nobody:hunter2@127.0.0.1:1/nothing", tmp_path)
    assert "hunter2" not in str(told.value)
    with pytest.raises(LedgerError, match="folder does not exist"):
        Ledger.open(tmp_path / "absent" / "ledger.sqlite")
