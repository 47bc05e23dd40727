from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_labelling import NEWS

from assay.errors import InputError
from assay.label import LabelTask
from assay.label.review.agreement import agreement, alpha_interval, krippendorff_alpha
from assay.label.review.record import Decision

_ = float("nan")
# Krippendorff (2011), section C: four observers, twelve units, values missing.
FOUR = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
])  # fmt: skip
# Section A: two observers, ten units, two values. Section B: two observers, five values.
TWO = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]])
LETTERS = np.array([
    [0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0],
    [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3],
])  # fmt: skip


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_four_observers_as_published(level: str, published: float) -> None:
    alpha = krippendorff_alpha(FOUR, level=level)  # type: ignore[arg-type]
    assert alpha == pytest.approx(published, abs=0.0006)


def test_two_observers_as_published() -> None:
    assert krippendorff_alpha(TWO) == pytest.approx(0.095, abs=0.0006)
    assert krippendorff_alpha(LETTERS) == pytest.approx(0.692, abs=0.0006)


def test_where_it_is_not_defined() -> None:
    assert krippendorff_alpha([[1, 1, 1], [1, 1, 1]]) is None
    assert krippendorff_alpha([[1, _], [_, 2]]) is None
    assert krippendorff_alpha(np.full((2, 3), _)) is None
    assert alpha_interval([[1, 2], [1, 2]]) is None
    with pytest.raises(InputError, match="level"):
        krippendorff_alpha(TWO, level="ratio")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="finite"):
        krippendorff_alpha([1, 2, 3])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
                min_size=2, max_size=20))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_it_follows_from_all_pairs_and_no_order_matters(rows: list[tuple[int, int, int]]) -> None:
    """Against the definition, written out pair by pair; equal for any order of the reviewers."""
    ratings = np.array(rows, dtype=float).T
    alpha = krippendorff_alpha(ratings)
    within = np.mean([x != y for row in rows for i, x in enumerate(row)
                      for j, y in enumerate(row) if i != j])  # fmt: skip
    everything = [x for row in rows for x in row]
    n = len(everything)
    across = sum(x != y for x in everything for y in everything) / (n * (n - 1))
    if across == 0:
        assert alpha is None
        return
    assert alpha == pytest.approx(1 - within / across)
    assert krippendorff_alpha(ratings[::-1]) == pytest.approx(alpha)
    assert krippendorff_alpha(ratings[:, ::-1]) == pytest.approx(alpha)


@pytest.mark.slow
def test_the_interval_covers_the_truth_of_simulated_reviewers() -> None:
    random, covered = np.random.default_rng(0), 0
    truth = random.integers(3, size=20_000)
    whole = np.array([np.where(random.uniform(size=20_000) < 0.7, truth,
                               random.integers(3, size=20_000)) for _ in range(2)])  # fmt: skip
    alpha = krippendorff_alpha(whole)
    assert alpha is not None
    for _seed in range(60):
        some = random.choice(20_000, 60, replace=False)
        found = alpha_interval(whole[:, some])
        assert found is not None
        covered += found.low <= alpha <= found.high
    assert covered >= 51


def test_reviewers_overlap_in_part_and_each_class_is_told() -> None:
    def said(reviewer: str, labels: str) -> list[Decision]:
        names = dict(zip("fsm", NEWS.class_names, strict=True))
        return [Decision(str(row), "label", reviewer, names[each])
                for row, each in enumerate(labels) if each in names]  # fmt: skip

    both = [*said("ann", "ffssmm-f"), *said("bob", "ffssmf--"), *said("eve", "------ff")]
    found = agreement(both, NEWS)
    assert found is not None
    assert (found.rows, found.reviewers) == (7, 3)
    assert found.by_class["ships"] == 1
    assert found.by_class["money"] is not None
    assert found.by_class["money"] < 1
    assert found.as_dict()["alpha"] == found.alpha
    assert agreement(said("ann", "ffss"), NEWS) is None
    assert agreement([*said("ann", "f-"), *said("bob", "-s")], NEWS) is None


def test_sets_of_classes_agree_whatever_their_order() -> None:
    task = LabelTask(kind="multi", classes=NEWS.classes)
    made = [
        Decision(row, "label", reviewer, label)
        for reviewer, order in (("ann", 1), ("bob", -1))
        for row, label in (("1", ["farm", "ships"][::order]), ("2", []), ("3", ["money"]))
    ]
    found = agreement(made, task)
    assert found is not None
    assert found.alpha == 1
    assert found.by_class == {"farm": 1, "ships": 1, "money": 1}
