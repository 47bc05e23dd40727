"""One seed for a project; every use of randomness derives its own from it."""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Return a seed in [0, 2**31) that depends on ``seed`` and every part of ``purpose``."""
    content = "\x1f".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(content.encode()).digest()[:4], "big") >> 1
