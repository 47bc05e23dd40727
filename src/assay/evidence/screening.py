"""How strictly a sequence of proposals is screened.

``screen`` keeps at p < .05, each proposal for itself. ``explore`` keeps at .10. ``strict`` keeps
the share of false finds among all that is kept below .05, for tests that depend on each other in
any way, as tests on the same rows do (e-LOND; Xu and Ramdas 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol, get_args

from assay.errors import InputError, MissingExtraError

Mode = Literal["screen", "explore", "strict"]

HORIZON = 20
"""Half of all the level is spent on so many first proposals."""

STAKES = ((0.6, 0.6), (0.4, 1.6))
"""Of an e-value: which share is staked on a p-value below which multiple of the level. The first
pays for keeping something at all, the second once four are kept."""

ALPHA: dict[Mode, float] = {"screen": 0.05, "explore": 0.10, "strict": 0.05}


class _Sequence(Protocol):
    """What is used of online-fdr, which carries no types."""

    def test_one(self, e_value: float) -> bool: ...


class Screening:
    """The level at which the next proposal of a sequence is tested.

    Parameters
    ----------
    mode
        ``screen``, ``explore`` or ``strict``.
    earlier
        p-values of the proposals screened before, in order, to continue a sequence.
    alpha
        Level; by default the mode's.

    Raises
    ------
    MissingExtraError
        For ``strict`` without the ``strict`` extra.
    """

    def __init__(
        self, mode: Mode = "screen", *, earlier: Iterable[float] = (), alpha: float | None = None
    ) -> None:
        if mode not in get_args(Mode):
            raise InputError("mode is not known.", given=mode, allowed=", ".join(get_args(Mode)))
        self.mode = mode
        self._alpha = ALPHA[mode] if alpha is None else alpha
        self._sequence = _elond(self._alpha) if mode == "strict" else None
        self._tested = 0
        for p_value in earlier:
            self.passes(p_value)

    def passes(self, p_value: float) -> bool:
        """Judge the next proposal by its one-sided p-value, and move on to the one after it.

        In ``strict`` mode the p-value is turned into an e-value first, by a calibrator that is
        made for the level of this very test: all of its stake is on p-values that could pass.
        Calibrators that fit every level (Vovk and Wang 2021) would ask the first proposal for
        p < 2e-5 in place of p < .0014.
        """
        if not 0 <= p_value <= 1:
            raise InputError("p_value must be a probability.", given=p_value, allowed="[0, 1]")
        if self._sequence is None:
            return p_value < self._alpha
        self._tested += 1
        level = self._alpha * _share(self._tested)
        return bool(self._sequence.test_one(_e_value(p_value, level)))


def _e_value(p_value: float, level: float) -> float:
    """Return what stakes on ``p <= level * multiple`` pay: 1 on average when p is uniform."""
    paid = sum(stake / each for stake, each in STAKES if p_value <= level * each)
    # Rounding must not cost a keep: the threshold is 1 / (level * kept).
    return paid / level * (1 + 1e-12)


class _Shares:
    """Shares of the level for one test after another; they add up to one."""

    def calc_gamma(self, j: int, **_: object) -> float:
        return _share(j)


def _share(test: int) -> float:
    return HORIZON / ((test + HORIZON - 1) * (test + HORIZON))


def _elond(alpha: float) -> _Sequence:
    try:
        from online_fdr.e_values import ELond
    except ImportError:
        raise MissingExtraError("Strict screening (online-fdr)", "strict") from None
    shares: Any = _Shares()  # it asks for calc_gamma alone
    sequence: _Sequence = ELond(alpha=alpha, gamma_seq=shares)
    return sequence
