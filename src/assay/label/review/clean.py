"""Rows on a terminal: what could steer it is shown instead of obeyed."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters of both sets, escape among them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of text
    "\u2028\u2029\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"  # separators, halves, tags
)


def visible(text: str) -> str:
    """Return ``text`` with each character that steers a terminal written as ``<1B>``."""
    return _STEERING.sub(_code, text.replace("\r\n", "\n").replace("\t", "    "))


def one_line(text: str) -> str:
    """Return :func:`visible` text without line breaks."""
    return " ".join(visible(text).split())


def _code(found: re.Match[str]) -> str:
    return f"<{ord(found.group()):02X}>"
