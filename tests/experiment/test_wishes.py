"""What a sentence asks for: read as it is meant, or not at all."""

from __future__ import annotations

import pytest

from assay.experiment.plan.wishes import wishes_in

CHURN = "predict churn next month; false alarms cost 1, misses 20; explain to auditors"


def test_a_sentence_is_read() -> None:
    wishes = wishes_in(CHURN, ("age",))
    assert wishes.costs is not None
    assert (wishes.costs.false_alarm, wishes.costs.miss) == (1, 20)
    assert wishes.costs.threshold == pytest.approx(1 / 21)
    assert wishes.ahead == "next month"
    assert wishes.explain
    assert wishes.group is None
    plain = wishes_in("sort mail", ())
    assert not any((plain.costs, plain.ahead, plain.explain, plain.fast, plain.minutes))
    assert wishes_in("for new customers in 2 hours", ("customer_id",)).group == "customer_id"
    assert wishes_in("within 2 hours", ()).minutes == 120
    for sentence in ("a false positive costs $3 and a missed fraud costs $90", CHURN):
        assert wishes_in(sentence, ()).costs is not None, sentence


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("false alarms cost 100, misses cost 20,000", (100, 20_000)),
        ("false alarms cost 20k, misses 1.5 million", (20_000, 1_500_000)),
        ("a false alarm costs $1,500 and a miss €2", None),
        ("misses cost the bank $250,000, false positives $1,500.", (1_500, 250_000)),
        ("we missed 300 cases last year. false alarms cost 1, misses cost 20", (1, 20)),
        ("column missed 3 payments; costs: false alarm 1, miss 20", (1, 20)),
        ("the cost of a false alarm is 5 and of a miss 100", (5, 100)),
        ("misses cost 20, false alarms 1, 5 minutes at most", (1, 20)),
        ("a miss is 20 times worse than a false alarm", (1, 20)),
        ("a false alarm costs 0.5x as much as a miss", (0.5, 1)),
        ("a false alarm costs 20 times less than a miss", None),
        ("false alarms cost € 2.000, misses cost € 20.000", None),
        ("false alarms cost 2,5, misses cost 20", None),
        ("false alarms cost 20 000, misses cost 1", None),
        ("false alarms cost 100 to 200, misses cost 2000", None),
        ("false alarms cost $100-$200, misses cost 2000", None),
        ("false alarms cost up to 100, misses cost 2000", None),
        ("false alarms cost 5 per 100 calls, misses cost 20", None),
        ("false alarms cost 5 minutes, misses cost 2 hours", None),
        ("false alarms cost 5m, misses cost 2000", None),
        ("false alarms cost 1, misses cost 20, missed frauds cost 50", None),
        ("last week false alarms were 12, misses 3", None),
        ("false alarms cost 3 hundred, misses cost 1", None),
        ("false alarms cost 0, misses cost 20", None),
        ("false alarms cost 0.00001, misses cost 20", None),
        ("misses cost 20,000", None),
        ("a miss is twice as bad as a false alarm", None),
    ],
)
def test_costs_are_read_as_they_are_meant_or_not_at_all(
    sentence: str, read: tuple[float, float] | None
) -> None:
    wishes = wishes_in(sentence, ())
    costs = None if wishes.costs is None else (wishes.costs.false_alarm, wishes.costs.miss)
    assert costs == read
    assert wishes.costs_unread == (read is None)
    assert not wishes_in("we missed 300 cases; sort mail", ()).costs_unread


@pytest.mark.parametrize(
    ("sentence", "minutes"),
    [
        ("rank buyers, in 3 minutes", 3),
        ("search for at most 1.5 hours", 90),
        ("who buys; 5 minutes at most; explain it", 5),
        ("predict calls longer than 5 minutes; 20 minutes of search", 20),
        ("what fails in the next 24 hours?", None),
        ("who is readmitted within 48 hours", None),
        ("flag calls longer than 5 minutes", None),
    ],
)
def test_only_a_time_that_is_clearly_the_searchs_limits_it(
    sentence: str, minutes: float | None
) -> None:
    wishes = wishes_in(sentence, ())
    assert wishes.minutes == minutes
    assert wishes.minutes_unread == (minutes is None)
