"""Where things live on this machine, and how files are written safely.

Environment variables: ``ASSAY_CACHE`` (downloaded assets and prepared models),
``ASSAY_DATA`` (text sets for benchmarks), ``ASSAY_LEDGER`` (a database URL in place of
the project's own SQLite file), ``ASSAY_NO_REAL_MODELS`` (forbid real model calls),
``ASSAY_SANDBOX`` (``plain`` or ``bubblewrap``, in place of the strongest that works).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assay.errors import AssayError


def cache_dir() -> Path:
    """Return the user's cache folder for Assay, creating it when absent."""
    given = os.environ.get("ASSAY_CACHE")
    if given:
        folder = Path(given).expanduser()
    else:
        import platformdirs

        folder = Path(platformdirs.user_cache_dir("assay"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def writing(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block succeeds.

    A ``private`` file is readable by its owner alone.

    A reader sees the old file or the whole new one, never a part. On any exception,
    ``KeyboardInterrupt`` included, the temporary file is removed.

    Raises
    ------
    AssayError
        When the disk is full, or the folder cannot be made or written.
    """
    aside = path.parent / f".{path.name}.{secrets.token_hex(6)}.partial"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666))
    except OSError as error:
        raise _unwritten(path, error) from error
    try:
        yield aside
        with aside.open("rb+") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> AssayError:
    return AssayError(
        f"Could not write {path.name}: {error.strerror or error}.",
        given=path,
        next_step="free some space or choose another folder; nothing was changed",
    )


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all."""
    with writing(path) as aside:
        aside.write_text(text, encoding="utf-8")
