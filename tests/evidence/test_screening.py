"""Three ways to screen a sequence of proposals."""

import sys

import numpy as np
import pytest
from scipy import stats

from assay.errors import InputError, MissingExtraError
from assay.evidence import Screening
from assay.evidence.screening import _e_value, _share


def test_screen_and_explore_are_plain_levels():
    p = [0.001, 0.04, 0.06, 0.2]
    assert [Screening("screen").passes(each) for each in p] == [True, True, False, False]
    assert [Screening("explore").passes(each) for each in p] == [True, True, True, False]


def proposals(rng: np.random.Generator, useful: float, n: int = 60):
    """Yield p-values and truths: each proposal against the incumbent, all on the same rows."""
    truths = rng.random(n) < useful
    shared = rng.normal()  # what the rows' draw did to the incumbent
    luck = rng.normal(size=n)
    luck[1::3] = -luck[: n - 1 : 3][: len(luck[1::3])]  # a kept one becomes the incumbent
    z = 0.7 * shared + np.sqrt(1 - 0.49) * luck + 4 * truths
    return stats.norm.sf(z), truths


@pytest.mark.parametrize("useful", [0.0, 0.2])
def test_strict_keeps_the_false_discovery_rate_when_all_tests_share_their_rows(useful):
    pytest.importorskip("online_fdr")
    rng = np.random.default_rng(0)
    shares, found = [], []
    for _ in range(400):
        p, truths = proposals(rng, useful)
        strict = Screening("strict")
        kept = np.array([strict.passes(each) for each in p])
        shares.append((kept & ~truths).sum() / max(1, kept.sum()))
        found.append(kept[truths].mean() if truths.any() else 0.0)
    assert np.mean(shares) <= 0.05 + 4 * np.std(shares) / 20
    if useful:
        assert np.mean(found) > 0.6


def test_an_e_value_is_worth_one_on_average_under_the_null():
    uniform = (np.arange(2_000_000) + 0.5) / 2_000_000
    for level in (0.0024, 0.0001):
        near = uniform[uniform < level * 2]
        paid = sum(_e_value(float(each), level) for each in near[:: max(1, len(near) // 4000)])
        step = max(1, len(near) // 4000) / 2_000_000
        assert paid * step == pytest.approx(1, abs=0.01)


def test_the_shares_of_the_level_add_up_to_one():
    assert sum(_share(each) for each in range(1, 200_001)) == pytest.approx(1, abs=2e-4)
    assert sum(_share(each) for each in range(1, 21)) == pytest.approx(0.5)


def test_the_first_proposal_needs_no_miracle():
    pytest.importorskip("online_fdr")
    assert Screening("strict").passes(0.0014)
    assert not Screening("strict").passes(0.0015)
    kept = Screening("strict", earlier=[1e-9] * 4)
    level = 0.05 * _share(5)
    assert kept.passes(1.6 * level)
    assert not Screening("strict", earlier=[1.0] * 4).passes(1.6 * level)


def test_a_sequence_continues_where_it_was():
    pytest.importorskip("online_fdr")
    p = [0.5, 1e-9, 0.3, 4e-4, 0.2, 1e-3]
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
