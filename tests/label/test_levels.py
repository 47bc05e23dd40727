"""How large classes are: told only where gold proves that they differ."""

from __future__ import annotations

import numpy as np
import pytest

from assay.label.single.levels import level_of, shares_proven
from assay.label.single.scores import logs, softmax
from assay.label.single.truth import Truth


@pytest.mark.parametrize(("classes", "rows"), [(2, 33), (4, 67), (77, 67)])
def test_even_classes_are_called_uneven_in_one_draw_of_a_hundred(classes: int, rows: int) -> None:
    random = np.random.default_rng(classes)
    truths = [Truth(random.integers(0, classes, rows)) for _ in range(400)]
    found = [shares_proven(each, classes, random) for each in truths]
    assert sum(each is not None for each in found) <= 11, "4 expected; 12 come once in 1,000"


def test_uneven_classes_are_told_with_their_shares() -> None:
    random, shares = np.random.default_rng(0), [0.6, 0.3, 0.06, 0.04]
    truth = Truth(random.choice(4, 67, p=shares))
    found = shares_proven(truth, 4, random)
    assert found is not None
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found, shares, atol=0.13)


def test_rows_that_were_picked_tell_nothing_of_sizes() -> None:
    codes, drawn = np.arange(100) % 2, np.repeat([1.0, 0.0], 50)
    codes[50:] = 0  # a review picked one class
    assert shares_proven(Truth(codes, measuring=drawn), 2, np.random.default_rng(0)) is None


def test_a_level_gives_the_classes_their_shares() -> None:
    random = np.random.default_rng(1)
    read = logs(softmax(random.normal(size=(300, 3)) * 3))
    shares = np.array([0.7, 0.2, 0.1])
    given = softmax(read - level_of(read, shares)).mean(axis=0)
    np.testing.assert_allclose(given, shares, atol=1e-3)
    np.testing.assert_allclose((read - level_of(read, None)).mean(axis=0), 0, atol=1e-9)
