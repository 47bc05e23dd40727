"""Landlock: this process may open only the files and folders that it is given.

Needs no privilege; Linux 5.13 and newer, where it is switched on. See the kernel's
``Documentation/userspace-api/landlock.rst``.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct

from .syscalls import LANDLOCK_ADD, LANDLOCK_CREATE, LANDLOCK_RESTRICT

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _DEVICE_CONTROL = 1 << 13, 1 << 14, 1 << 15
_ALL_AT_FIRST = (1 << 13) - 1
_READING = _EXECUTE | _READ_FILE | _READ_FOLDER
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
_TCP = 0b11
_OTHERS_SOCKETS_AND_SIGNALS = 0b11
_PR_SET_NO_NEW_PRIVS = 38


def version() -> int:
    """Return the version of Landlock's interface; 0 where there is none."""
    if platform.system() != "Linux":
        return 0
    return max(0, int(_libc().syscall(LANDLOCK_CREATE, None, 0, 1)))


def confine(readable: list[str], writable: list[str]) -> None:
    """Let this process read and run what lies under ``readable``, and change ``writable`` too.

    Paths that do not exist are passed over. From version 4 on TCP is refused, from version 6
    on signals to processes outside and abstract sockets.

    Raises
    ------
    OSError
        When the kernel does not take the rules.
    """
    newest = version()
    handled = _ALL_AT_FIRST
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _DEVICE_CONTROL)):
        handled |= right if newest >= since else 0
    attributes = struct.pack("QQQ", handled, _TCP, _OTHERS_SOCKETS_AND_SIGNALS)
    size = 8 if newest < 4 else 16 if newest < 6 else 24
    rules = _call(LANDLOCK_CREATE, attributes, size, 0)
    try:
        for path in readable:
            _allow(rules, path, _READING & handled)
        for path in writable:
            _allow(rules, path, handled & ~_DEVICE_CONTROL)
        if _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "new privileges could not be given up")
        _call(LANDLOCK_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        _call(LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: int | bytes) -> int:
    found = int(_libc().syscall(number, *arguments))
    if found < 0:
        raise OSError(ctypes.get_errno(), "Landlock was refused")
    return found


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
