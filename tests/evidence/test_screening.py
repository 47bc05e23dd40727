"""Three ways to screen a sequence of proposals."""

import sys

import numpy as np
import pytest

from assay.errors import InputError, MissingExtraError
from assay.evidence import Screening


def test_screen_and_explore_are_plain_levels():
    p = [0.001, 0.04, 0.06, 0.2]
    assert [Screening("screen").passes(each) for each in p] == [True, True, False, False]
    assert [Screening("explore").passes(each) for each in p] == [True, True, True, False]


def test_strict_keeps_the_false_discovery_rate_when_all_tests_share_their_rows():
    pytest.importorskip("online_fdr")
    rng = np.random.default_rng(0)
    from scipy import stats

    false_runs = 0
    for _ in range(200):
        shared = rng.normal()  # every proposal is judged on the same rows
        z = 0.7 * shared + np.sqrt(1 - 0.49) * rng.normal(size=60)
        strict = Screening("strict")
        false_runs += any(strict.passes(p) for p in stats.norm.sf(z))
    assert false_runs <= stats.binom.ppf(1 - 1e-4, 200, 0.05)


def test_strict_still_keeps_what_is_plain():
    pytest.importorskip("online_fdr")
    strict = Screening("strict")
    assert strict.passes(1e-8)


def test_a_sequence_continues_where_it_was():
    pytest.importorskip("online_fdr")
    p = [0.5, 1e-9, 0.3, 4e-6, 0.2, 1e-5]
    whole = Screening("strict")
    answers = [whole.passes(each) for each in p]
    resumed = Screening("strict", earlier=p[:3])
    assert [resumed.passes(each) for each in p[3:]] == answers[3:]
    weakest = max(p for p in np.logspace(-8, 0, 200) if Screening("strict").passes(p))
    assert not Screening("strict", earlier=[0.5] * 20).passes(weakest)


def test_strict_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "online_fdr.e_values", None)
    with pytest.raises(MissingExtraError, match="strict"):
        Screening("strict")


def test_bad_input_is_named():
    with pytest.raises(InputError, match="explore"):
        Screening("lenient")
    with pytest.raises(InputError):
        Screening().passes(1.5)
