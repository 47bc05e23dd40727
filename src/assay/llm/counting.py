"""Counting tokens before anything is sent: by the model's own tokenizer, or by a rule of thumb."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from assay.llm.prompt import Prompt

_PIECE = re.compile(r"[^\W\d_]+|\d+|\s+|[^\w\s]|_", re.UNICODE)
_TURN = 4
"""Tokens that a format puts around each turn."""
FIXED = {"choose": 40, "generate": 30}
"""Tokens of the words that every request holds beside the prompt, by question."""

Counter = Callable[[Sequence[str]], list[int]]
"""From texts to their numbers of tokens."""


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


def by_rule(texts: Sequence[str]) -> list[int]:
    """Count by :func:`count_tokens`."""
    return [count_tokens(text) for text in texts]


def tokenizer_of(model: str) -> Counter | None:
    """Return what counts exactly for a model on this machine; None where its tokenizer is not here.

    Nothing is fetched or prepared for it.
    """
    path = _tokenizer_file(model)
    if path is None:
        return None
    try:
        return _loaded(path)
    except ImportError:
        return None


def _tokenizer_file(model: str) -> str | None:
    from assay.assets import cached_path
    from assay.config import cache_dir

    if model == "local:minilm":
        path = cached_path("minilm-tokenizer")
        return str(path) if path.exists() else None
    provider, _, name = model.partition(":")
    if provider != "local":
        return None
    prepared = sorted((cache_dir() / "models").glob(f"{name}-*/tokenizer.json"))
    return str(prepared[-1]) if prepared else None


@lru_cache(maxsize=2)
def _loaded(path: str) -> Counter:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        encoded = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(each.ids) for each in encoded]

    return count


def prompt_tokens(
    prompts: Sequence[Prompt],
    extra: Callable[[Prompt], str],
    fixed: int,
    count: Counter,
    most: int | None = None,
) -> int:
    """Return the tokens of all prompts, each with its ``extra`` and ``fixed`` tokens beside it.

    ``most`` is where longer texts are cut. What prompts share is counted once.
    """
    heads: dict[tuple[object, ...], int] = {}
    total = 0
    for prompt, text in zip(prompts, count([each.text for each in prompts]), strict=True):
        head = (prompt.instructions, prompt.examples, prompt.options)
        if head not in heads:
            parts = [prompt.instructions, extra(prompt)]
            parts += [part for each in prompt.examples for part in (each.text, each.answer)]
            turns = 2 + 2 * len(prompt.examples)
            heads[head] = sum(count(parts)) + _TURN * turns + fixed
        total += heads[head] + (text if most is None else min(text, most))
    return total
