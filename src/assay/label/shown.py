"""Rows as they can be printed: no character of a row steers the terminal."""

from __future__ import annotations

import re
import unicodedata

_SUSPECT = re.compile(r"[^\w !-~]")
_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTION = frozenset(map(chr, [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F),
                                 *range(0x2066, 0x206A), 0xFEFF]))  # fmt: skip
"""Marks that reorder what a reader sees; joiners inside emoji and scripts are left alone."""


def visible(text: str) -> str:
    r"""Return ``text`` with control characters and direction marks written out, as ``\\x1b``.

    Line breaks and tabs become spaces.
    """
    return _SUSPECT.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    character = found[0]
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in _STEERING or character in _DIRECTION:
        return character.encode("unicode_escape").decode("ascii")
    return character
