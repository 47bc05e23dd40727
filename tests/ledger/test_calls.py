"""The book of calls, in both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.ledger import Ledger
from assay.ledger.amounts import Amount, Caps
from assay.ledger.calls import Call, CallBook, Intent
from assay.ledger.spending import spending


def call(key: str, status: str = "answered", **changes: object) -> Call:
    values = {"tokens_in": 3, "tokens_out": 1, "money": 5, "seconds": 0.1, "answer": "{}"}
    return Call(key, "m", "choose", status, **{**values, **changes})  # type: ignore[arg-type]


def test_answers_are_found_by_key_and_failures_are_not(ledger: Ledger) -> None:
    book = CallBook(ledger, ledger.start_run("a", {}))
    calls = [call(f"key{n}", answer=f'{{"n": {n}, "t": "é%s?"}}') for n in range(1000)]
    book.write([*calls, call("bad", "failed", answer=None, why="50 % off")])
    other = CallBook(ledger, ledger.start_run("b", {}))
    found = other.answered([*(f"key{n}" for n in range(0, 1000, 2)), "bad", "absent"])
    assert len(found) == 500
    assert found["key4"] == '{"n": 4, "t": "é%s?"}'
    entry = ledger.get("call-5")
    assert (entry.key, entry.body["money"], entry.body["tokens_in"]) == ("key4", 5e-12, 3)
    assert other.balance().spent == Amount()
    assert spending(ledger, "status")[0].calls == 1000


def test_what_is_reserved_is_settled(ledger: Ledger) -> None:
    book = CallBook(ledger, ledger.start_run("a", {}))
    worst = Amount(100, 10, 1)
    numbers, reached = book.reserve([Intent("x", worst), Intent("y", worst)], Caps(), "me")
    assert (len(numbers), reached) == (2, None)
    assert book.balance().reserved == Amount(200, 20, 2)
    book.write([call("x", intent=numbers[0], released=worst)])
    assert book.balance().reserved == worst
    assert book.balance().spent == Amount(5, 4, 1)
    assert set(book.left_behind(lambda owner: False)) == {"y"}
    assert book.left_behind(lambda owner: True) == {}
    book.write([call("y", "unsent", tokens_in=0, tokens_out=0, money=0, answer=None,
                     intent=numbers[1], released=worst)])  # fmt: skip
    assert book.balance().reserved == Amount()
    assert book.balance().spent == Amount(5, 4, 1)


@pytest.mark.parametrize("cap", ["money", "tokens", "calls"])
def test_only_what_fits_is_reserved(ledger: Ledger, cap: str) -> None:
    book = CallBook(ledger, ledger.start_run("a", {}))
    wanted = [Intent(str(n), Amount(1, 1, 1)) for n in range(5)]
    numbers, reached = book.reserve(wanted, Caps(**{cap: 3}), "me")
    assert (len(numbers), reached) == (3, cap)
    assert book.reserve(wanted[:1], Caps(**{cap: 3}), "me") == ([], cap)


def test_processes_cannot_reserve_the_same_money(opened: Callable[[], Ledger]) -> None:
    run = opened().start_run("a", {})
    books = [CallBook(opened(), run) for _ in range(4)]
    got: list[int] = []

    def grab(book: CallBook) -> None:
        for _ in range(10):
            numbers, _ = book.reserve([Intent("k", Amount(7, 1, 1))], Caps(money=100), "me")
            got.extend(numbers)

    threads = [threading.Thread(target=grab, args=(book,)) for book in books]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 14
    assert {book.balance().reserved.money for book in books} == {98}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.tuples(st.integers(0, 10**13), st.integers(0, 10**13)), max_size=8),
    cap=st.integers(0, 3 * 10**13),
)
def test_spending_never_passes_the_cap(
    ledger: Ledger, steps: list[tuple[int, int]], cap: int
) -> None:
    """Whatever is reserved and settled (never above what was reserved), the cap holds."""
    book = CallBook(ledger, ledger.start_run("a", {}))
    for worst, cost in steps:
        most = Amount(worst, 0, 1)
        numbers, _ = book.reserve([Intent("k", most)], Caps(money=cap), "me")
        for number in numbers:
            book.write([call("k", money=min(cost, worst), intent=number, released=most)])
        assert book.balance().spent.money <= cap
        assert book.balance().reserved == Amount()
    fresh = CallBook(ledger, ledger.entries("run")[-1].id)
    assert fresh.balance() == book.balance()


def test_a_killed_process_is_made_up_for_once(ledger: Ledger) -> None:
    book = CallBook(ledger, ledger.start_run("a", {}))
    worst = Amount(100, 10, 1)
    mine, _ = book.reserve([Intent(key, worst) for key in "xyz"], Caps(), "me")
    book.reserve([Intent("w", worst)], Caps(), "other")
    found = [call("x", intent=mine[0], released=worst)]
    for _ in range(2):
        book.make_up("me", found, {mine[0], mine[1]})
        assert book.balance().spent == Amount(5, 4, 1)
        assert book.balance().reserved == Amount(200, 20, 2), "y left, and w is another's"
    assert set(book.left_behind(lambda owner: False)) == {"y", "w"}
    book.make_up("other", [], None)
    assert book.balance().reserved.calls == 2, "whether w left is not known"


def test_what_a_killed_process_had_settled_for_an_earlier_one_is_made_up_too(
    ledger: Ledger,
) -> None:
    """It asked again what a killed one had asked, put both on record, and was killed itself."""
    book = CallBook(ledger, ledger.start_run("a", {}))
    worst = Amount(100, 10, 1)
    first, _ = book.reserve([Intent("x", worst), Intent("y", worst)], Caps(), "first")
    second, _ = book.reserve([Intent("x", worst), Intent("z", worst)], Caps(), "second")
    found = [call("x", intent=each, released=worst) for each in (second[0], first[0])]
    for _ in range(2):
        book.make_up("second", found, {second[0]})
        assert book.balance().spent == Amount(10, 8, 2)
        assert book.balance().reserved == worst, "y of the first; z never left"
    assert set(book.left_behind(lambda owner: False)) == {"y"}
