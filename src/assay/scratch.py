"""Folders for what is written aside: gone with their owner, and after its kill -9 by the next one.

A folder is locked by the process that made it, for as long as that lives (flock(2)). One that
nobody holds was left by a process that was killed: the rows in it are removed by the next process
of the same user that makes such a folder.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
import weakref
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

PREFIX = "assay-"
OWNER = ".owner"
"""Held by whoever made the folder."""


class Scratch:
    """A new folder of this process among the system's temporary ones, readable by its user alone.

    It is removed by :meth:`remove`, at the end of a ``with``, or with this object.

    Parameters
    ----------
    purpose
        A word for the folder's name.
    """

    def __init__(self, purpose: str) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
        """Where it is."""
        self._gone = weakref.finalize(self, _remove, self.path, _owned(self.path), os.getpid())

    def remove(self) -> None:
        """Remove the folder and all in it."""
        self._gone()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


@cache
def sweep() -> tuple[Path, ...]:
    """Remove what killed processes left, once in a process, and return which folders these were."""
    found = Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{OWNER}")
    return tuple(each.parent for each in found if _left(each))


def _owned(folder: Path) -> IO[bytes]:
    """Lock a new folder. Its lock has another name until it is held, so that none is swept."""
    aside = folder / f"{OWNER}.new"
    handle = aside.open("wb")
    if sys.platform != "win32":  # where nothing is swept
        import fcntl

        with suppress(OSError):  # a file system without locks: nothing on it is swept
            fcntl.flock(handle, fcntl.LOCK_EX)
            aside.rename(folder / OWNER)
    return handle


def _left(owner: Path) -> bool:
    """Remove the folder of a lock where nobody holds it; return whether it was."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        if not _is_own_file(owner):
            return False
        with owner.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _empty(owner.parent)
    except OSError:  # held, or another user's
        return False
    return not owner.exists()


def _is_own_file(path: Path) -> bool:
    """Return whether this user made a file; another's may be a pipe, whose opening never ends."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()


def _remove(folder: Path, held: IO[bytes], owner: int) -> None:
    """Remove a folder, unless this is a fork of its owner."""
    if os.getpid() == owner:
        _empty(folder)
        held.close()


def _empty(folder: Path) -> None:
    """Remove a folder, its lock last: what a kill leaves half removed is swept by the next one."""
    with suppress(OSError):
        for each in folder.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each, ignore_errors=True)
            elif each.name != OWNER:
                each.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
