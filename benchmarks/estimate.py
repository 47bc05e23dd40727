"""How far the dry run's count of tokens is off, against the embedded model's tokenizer.

Real rows of AG News, SST-2 and Banking77 (``ASSAY_DATA``), as a remote model would be sent them:
instructions, options under their codes, the row. Each set is estimated by the rule of thumb, and
again from the bytes that its first rows took (``calibrated``), as it is once calls are on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from assay.llm import Prompt
from assay.llm.counting import FIXED, by_rule, prompt_tokens, tokenizer_of
from assay.llm.providers.wire import choice_system, order
from assay.llm.questions import Choose
from common import arguments, print_result, text_set

SETS = ("agnews_test", "sst2_test", "banking77_test")
TOLD = "Say which category the text belongs to."
KNOWN = 50
"""Rows that are on record already for the calibrated estimate."""


def main() -> None:
    given = arguments(__doc__)
    count = tokenizer_of("local:smollm2-135m")
    if count is None:
        print_result(skipped="the embedded model is not prepared: run assay models test "
                             "local:smollm2-135m")  # fmt: skip
        return
    found: dict[str, Any] = {}
    for name in SETS:
        table = text_set(name)
        if table is None:
            print_result(skipped=f"{name} is not in ASSAY_DATA")
            return
        found[name.partition("_")[0]] = errors(table.head(300 if given.quick else 5000), count)
    print_result(tokens_off=found)


def errors(table: pl.DataFrame, count: Any) -> dict[str, float]:
    """Return how far both estimates of a set's tokens are off; 0.1 is 10 % too high."""
    options = tuple(sorted(table["label"].unique().to_list()))
    prompts = [Prompt(TOLD, text) for text in table["text"]]
    real = exact(prompts, options, count)
    extra = Choose(options).extra
    rule = prompt_tokens(prompts, lambda _: extra, FIXED["choose"], by_rule)
    sizes = [sent_bytes(each, extra) for each in prompts]
    share = sum(real[:KNOWN]) / sum(sizes[:KNOWN])
    later = sum(real[KNOWN:])
    return {
        "rows": len(prompts),
        "tokens": sum(real),
        "by_rule": rule / sum(real) - 1,
        "text_by_rule": sum(by_rule([each.text for each in prompts]))
        / sum(count([each.text for each in prompts]))
        - 1,
        "calibrated": share * sum(sizes[KNOWN:]) / later - 1,
    }


def exact(prompts: Sequence[Prompt], options: tuple[str, ...], count: Any) -> list[int]:
    """Return the tokens of each request as it is sent, with four around each of its two turns."""
    systems = [
        choice_system(each.instructions, options, tuple(order(each, len(options), 0)))
        for each in prompts
    ]
    texts = count([each.text for each in prompts])
    return [s + t + 8 for s, t in zip(count(systems), texts, strict=True)]


def sent_bytes(prompt: Prompt, extra: str) -> int:
    """Return what the gateway reserves for reading a request: a token for every byte."""
    return len((prompt.instructions + extra + prompt.text).encode()) + 200


if __name__ == "__main__":
    main()
