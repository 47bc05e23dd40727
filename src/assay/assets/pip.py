"""The user's own pip, asked as a program: it knows the index, the credentials, the mirrors."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

Answer = subprocess.CompletedProcess[str]


def has_pip() -> bool:
    """Whether this Python environment has pip."""
    return find_spec("pip") is not None


def pip(*arguments: str) -> Answer:
    """Run pip without a terminal, and return what it said."""
    command = [sys.executable, "-m", "pip", "--no-input", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
