"""How strictly a sequence of proposals is screened.

``screen`` keeps at p < .05, each proposal for itself. ``explore`` keeps at .10. ``strict`` keeps
the share of false finds among all that is kept below .05, for proposals that depend on each
other and on the same rows in any way (e-LOND; Xu and Ramdas 2024).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, Protocol, get_args

from assay.errors import InputError, MissingExtraError

Mode = Literal["screen", "explore", "strict"]

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
        for p_value in earlier:
            self.passes(p_value)

    def passes(self, p_value: float) -> bool:
        """Judge the next proposal by its one-sided p-value, and move on to the one after it.

        In ``strict`` mode the p-value is turned into an e-value first (Vovk and Wang 2021,
        averaged over their calibrators), which costs power: that is the price of a guarantee
        under any dependence.
        """
        if not 0 <= p_value <= 1:
            raise InputError("p_value must be a probability.", given=p_value, allowed="[0, 1]")
        if self._sequence is None:
            return p_value < self._alpha
        return bool(self._sequence.test_one(_e_value(p_value)))


def _e_value(p_value: float) -> float:
    if p_value > 1 - 1e-6:
        return 0.5
    p = max(p_value, 1e-300)
    log = math.log(p)
    return (1 - p + p * log) / (p * log**2)


def _elond(alpha: float) -> _Sequence:
    try:
        from online_fdr.e_values import ELond
    except ImportError:
        raise MissingExtraError("Strict screening (online-fdr)", "strict") from None
    sequence: _Sequence = ELond(alpha=alpha)
    return sequence
