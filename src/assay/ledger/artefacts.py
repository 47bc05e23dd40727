"""Files kept by their content: written once, never changed, verified when read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from assay.config import writing
from assay.errors import LedgerError

DIGITS = 16


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def write(folder: Path, data: bytes) -> str:
    """Write ``data`` under its SHA-256, flushed to disk, and return that; write nothing twice."""
    sha256 = digest(data)
    path = _path(folder, sha256)
    if not (path.is_file() and digest(path.read_bytes()) == sha256):
        with writing(path) as aside:
            aside.write_bytes(data)
        _flush_folder(path.parent)
    return sha256


def read(folder: Path, sha256: str) -> bytes:
    """Return the bytes whose SHA-256 this is; raise `LedgerError` when they are not there."""
    try:
        data = _path(folder, sha256).read_bytes()
    except OSError as error:
        raise LedgerError(
            f"The file of artefact-{sha256[:DIGITS]} cannot be read: {error.strerror}.",
            next_step="restore the project's artefacts folder from a backup",
        ) from error
    if digest(data) != sha256:
        raise LedgerError(
            f"The file of artefact-{sha256[:DIGITS]} was altered: its SHA-256 differs.",
            next_step="restore the project's artefacts folder from a backup",
        )
    return data


def _path(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def _flush_folder(folder: Path) -> None:
    """Make the new name itself durable; the file's content was flushed before it got the name."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # some systems cannot open a folder
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
