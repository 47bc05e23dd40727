"""Keys of providers: from the environment or the system's keyring, never from a project's file."""

from __future__ import annotations

import os

SERVICE = "assay"


def find_key(variable: str) -> str | None:
    """Return the key under that name, from the environment first, then the keyring."""
    given = os.environ.get(variable, "").strip()
    return given or _from_keyring(variable)


def _from_keyring(variable: str) -> str | None:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return keyring.get_password(SERVICE, variable)
    except keyring.errors.KeyringError:  # no keyring service runs here
        return None
