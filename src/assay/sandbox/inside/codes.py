"""How a program ended, where Python itself can tell: its exit codes."""

from __future__ import annotations

UNFIT = 3
"""A result is missing or cannot be handed out."""
NO_MEMORY = 4
"""Memory ran out."""
