"""The Prompt: instructions, worked examples and one row's text, kept apart."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    columns
        The table's columns that any part was made of: none for words that no row holds, None
        where nobody says. It is not sent; where the project has columns that never leave this
        machine, a prompt that holds one, or does not say, is not sent either.
    cue
        What the answer is called, such as ``Category``. A small model on this machine then
        reads a document whose next word is the answer (``Text: … Category:``) in place of a
        chat, and judges far better. Other models do not need it.
    options
        What this row alone chooses among; by default what all rows do.
    """

    instructions: str
    text: str
    examples: tuple[Example, ...] = ()
    columns: tuple[str, ...] | None = field(default=None, compare=False)
    cue: str = ""
    options: tuple[str, ...] = ()
