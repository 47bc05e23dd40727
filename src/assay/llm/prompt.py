"""The Prompt: instructions, worked examples and one row's text, kept apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One worked example: a text, and the answer it should get."""

    text: str
    answer: str


@dataclass(frozen=True)
class Prompt:
    """What a language model is asked about one row.

    The three parts stay apart until a model encodes them, so that ``text`` remains data: a
    model never parses control tokens out of it, and prompts that share ``instructions`` and
    ``examples`` share the work of reading them.

    Attributes
    ----------
    instructions
        What to do, in plain words. May be empty.
    text
        The row.
    examples
        Worked examples, in order.
    """

    instructions: str
    text: str
    examples: tuple[Example, ...] = ()
