"""What questions will take, and how far that was off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from assay.ledger.spending import Spent


@dataclass(frozen=True)
class Estimate:
    """What a question will take.

    Attributes
    ----------
    model, question
        Who is asked; ``choose``, ``generate`` or ``embed``.
    rows, cached
        Rows in all, and rows that the ledger answers for nothing.
    requests
        Requests that will be sent.
    tokens_in, tokens_out
        Expected tokens.
    money
        Expected US dollars.
    worst_money
        US dollars that are reserved: a token for every byte, and the longest answers.
    seconds
        Expected time.
    basis
        What the tokens are told by: the model's tokenizer, calls on record, a rule of thumb.
    """

    model: str
    question: str
    rows: int = 0
    cached: int = 0
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0
    worst_money: float = 0.0
    seconds: float = 0.0
    basis: str = ""

    @property
    def tokens(self) -> int:
        """Read and written together."""
        return self.tokens_in + self.tokens_out

    def error(self, tokens_in: int, tokens_out: int) -> float:
        """Return by how much the estimate of all tokens was off: 0.1 is 10 % too high."""
        return off(self.tokens, tokens_in + tokens_out)

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            model=self.model,
            question=_joined(self.question, other.question),
            rows=self.rows + other.rows,
            cached=self.cached + other.cached,
            requests=self.requests + other.requests,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            money=self.money + other.money,
            worst_money=self.worst_money + other.worst_money,
            seconds=self.seconds + other.seconds,
            basis=_joined(self.basis, other.basis),
        )

    def times(self, factor: float, *, question: str) -> Estimate:
        """Return the estimate for so many times the rows."""
        return replace(
            self,
            question=question,
            rows=round(self.rows * factor),
            cached=0,
            requests=round(self.requests * factor),
            tokens_in=round(self.tokens_in * factor),
            tokens_out=round(self.tokens_out * factor),
            money=self.money * factor,
            worst_money=self.worst_money * factor,
            seconds=self.seconds * factor,
        )


@dataclass(frozen=True)
class Forecast:
    """What a run will ask, question by question, and what will be refused, with the reason."""

    questions: tuple[Estimate, ...]
    refused: tuple[str, ...] = ()

    @property
    def by_model(self) -> tuple[Estimate, ...]:
        """One estimate for each model, in the order they are first asked."""
        found: dict[str, Estimate] = {}
        for each in self.questions:
            found[each.model] = found[each.model] + each if each.model in found else each
        return tuple(found.values())

    @property
    def money(self) -> float:
        """Expected US dollars."""
        return sum(each.money for each in self.questions)

    def errors(self, spent: Iterable[Spent]) -> tuple[Error, ...]:
        """Return, for each model that was asked or was expected to be, how far this was off."""
        real = {each.group: each for each in spent}
        expected = {each.model: each for each in self.by_model}
        return tuple(
            _error(name, expected.get(name) or Estimate(name, ""), real.get(name))
            for name in dict.fromkeys([*expected, *real])
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the forecast as plain JSON values."""
        return {
            "models": [asdict(each) for each in self.by_model],
            "questions": [asdict(each) for each in self.questions],
            "refused": list(self.refused),
            "money": self.money,
        }


@dataclass(frozen=True)
class Error:
    """One model's estimate beside what was spent; shares are None where nothing was spent.

    ``tokens_off`` and ``money_off`` of 0.1 are 10 % too high.
    """

    model: str
    tokens_expected: int
    tokens: int
    money_expected: float
    money: float
    tokens_off: float | None
    money_off: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain JSON values."""
        return asdict(self)


def spent_between(before: Iterable[Spent], after: Iterable[Spent]) -> list[Spent]:
    """Return what was spent since ``before``, group by group."""
    old: Mapping[str, Spent] = {each.group: each for each in before}
    found = []
    for each in after:
        past = old.get(each.group) or Spent(each.group, 0, 0, 0, 0.0)
        if each.calls > past.calls:
            found.append(
                Spent(
                    each.group,
                    each.calls - past.calls,
                    each.tokens_in - past.tokens_in,
                    each.tokens_out - past.tokens_out,
                    each.money - past.money,
                )
            )
    return found


def off(expected: float, real: float) -> float:
    """Return by how much ``expected`` was off, as a share of what was real; 0 where that is 0."""
    return expected / real - 1 if real else 0.0


def _error(name: str, expected: Estimate, real: Spent | None) -> Error:
    real = real or Spent(name, 0, 0, 0, 0.0)
    tokens = real.tokens_in + real.tokens_out
    return Error(
        model=name,
        tokens_expected=expected.tokens,
        tokens=tokens,
        money_expected=expected.money,
        money=real.money,
        tokens_off=off(expected.tokens, tokens) if tokens else None,
        money_off=off(expected.money, real.money) if real.money else None,
    )


def _joined(one: str, other: str) -> str:
    words = dict.fromkeys([*one.split(", "), *other.split(", ")])
    return ", ".join(filter(None, words))
