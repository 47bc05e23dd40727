"""What a question will take, told from the real prompts before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assay.llm.model import Price, Usage
from assay.llm.prompt import Prompt

_PIECE = re.compile(r"[^\W\d_]+|\d+|\s+|[^\w\s]|_", re.UNICODE)
_TURN = 4
"""Tokens that a format puts around each turn."""


@dataclass(frozen=True)
class Estimate:
    """What a question will take.

    Attributes
    ----------
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
    """

    rows: int
    cached: int
    requests: int
    tokens_in: int
    tokens_out: int
    money: float
    worst_money: float

    def error(self, tokens_in: int, tokens_out: int) -> float:
        """Return by how much the estimate of all tokens was off: 0.1 is 10 % too high."""
        actual = tokens_in + tokens_out
        return (self.tokens_in + self.tokens_out) / actual - 1 if actual else 0.0


def count_tokens(text: str) -> int:
    """Return about how many tokens a byte-pair encoder makes of ``text``.

    Common words are one token; longer ones one for each six letters begun after that; digits
    go in threes; a space belongs to the word after it; other scripts take about a token a
    letter. No tokenizer is fetched, so it is an estimate.
    """
    total = 0
    for piece in _PIECE.findall(text):
        if piece[0].isspace():
            total += len(piece) > 1
        elif piece[0].isdigit():
            total += -(-len(piece) // 3)
        elif piece.isascii():
            total += 1 if len(piece) <= 7 else 1 + (len(piece) - 2) // 6
        else:
            total += max(1, round(len(piece.encode("utf-8", "surrogatepass")) / 3))
    return total


def expected(prompt: Prompt, extra: str, answer: int) -> Usage:
    """Return the tokens that one request is expected to take."""
    turns = 2 + 2 * len(prompt.examples)
    texts = [prompt.instructions, prompt.text, extra]
    texts += [part for each in prompt.examples for part in (each.text, each.answer)]
    return Usage(sum(map(count_tokens, texts)) + _TURN * turns, answer)


def estimate(
    asked: Sequence[tuple[Prompt, Usage]],
    *,
    rows: int,
    cached: int,
    parts: int,
    extra: str,
    answer: int,
    price: Price,
) -> Estimate:
    """Return what asking ``asked`` (prompts with their worst case) will take."""
    usage, worst = Usage(), Usage()
    for prompt, most in asked:
        usage = usage + expected(prompt, extra, answer)
        worst = worst + most
    total = Usage(usage.tokens_in * parts, usage.tokens_out * parts)
    return Estimate(
        rows=rows,
        cached=cached,
        requests=len(asked) * parts,
        tokens_in=total.tokens_in,
        tokens_out=total.tokens_out,
        money=price.of(total) / 1e12,
        worst_money=price.of(worst) * parts / 1e12,
    )
