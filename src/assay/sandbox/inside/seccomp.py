"""A filter of system calls (seccomp-bpf), put on this process and all that it starts.

Installed by the process itself before it runs what it was given; it cannot be taken off.
Uses nothing but ctypes, so that it needs no library inside the sandbox.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

from .syscalls import JUDGED, MACHINES, NEWEST, REFUSED

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_CLONE_NEW_SPACES = 0x7E020080
"""Every flag of ``clone`` that makes a namespace."""
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 38, 22, 2


def supported() -> bool:
    """Whether this machine's system calls are known here and the kernel filters them."""
    if platform.system() != "Linux" or platform.machine() not in MACHINES:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # A null filter is refused as a bad address where filters exist, as invalid where not.
    libc.prctl(_PR_SET_SECCOMP, _FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


def confine(*, one_process: bool) -> None:
    """Put the filter on this process.

    Parameters
    ----------
    one_process
        Whether starting a further process is refused; threads are not.

    Raises
    ------
    OSError
        When the kernel does not take the filter.
    """
    program = _program(os.getpid(), one_process=one_process)
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
        _PR_SET_SECCOMP, _FILTER, head, 0, 0
    ):
        raise OSError(ctypes.get_errno(), "the filter of system calls was refused")


def _program(pid: int, *, one_process: bool) -> bytes:
    column, architecture = MACHINES[platform.machine()]

    def number(name: str) -> int | None:
        return (REFUSED | JUDGED)[name][column]

    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
        _step(_AT_LEAST, NEWEST + 1, 0, 1),
        _step(_RETURN, _ERROR | errno.ENOSYS),
    ]
    for name in REFUSED:
        steps += _if(number(name), [_refuse()])
    # glibc falls back to clone, whose flags can be seen.
    steps += _if(number("clone3"), [_step(_RETURN, _ERROR | errno.ENOSYS)])
    if one_process:
        steps += _if(number("fork"), [_refuse()]) + _if(number("vfork"), [_refuse()])
    steps += _if(number("clone"), _clone(one_process=one_process))
    for name in ("kill", "tgkill"):
        steps += _if(number(name), _argument_among(0, (pid,)))
    steps += _if(number("prlimit64"), _argument_among(0, (0, pid)))
    steps += _if(number("ioctl"), _argument_not_among(1, (_TIOCSTI, _TIOCLINUX)))
    steps += _if(number("socketpair"), _argument_among(0, (_AF_UNIX,)))
    steps += _if(number("sendto"), _without_address())
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, when_true, when_false, value)


def _refuse() -> bytes:
    return _step(_RETURN, _ERROR | errno.EPERM)


def _if(number: int | None, steps: list[bytes]) -> list[bytes]:
    """Return ``steps`` for one system call; they end by returning."""
    return [] if number is None else [_step(_EQUAL, number, 0, len(steps)), *steps]


def _load(argument: int, *, high: bool = False) -> bytes:
    """Load one half of an argument; both machines are little-endian."""
    return _step(_LOAD, _ARGUMENTS + 8 * argument + 4 * high)


def _clone(*, one_process: bool) -> list[bytes]:
    steps = [_load(0), _step(_ANY_BIT, _CLONE_NEW_SPACES, 0, 1), _refuse()]
    if one_process:
        steps += [_step(_ANY_BIT, _CLONE_THREAD, 1, 0), _refuse()]
    return [*steps, _step(_RETURN, _ALLOW)]


def _argument_among(argument: int, allowed: tuple[int, ...]) -> list[bytes]:
    checks = [
        part for each in allowed for part in (_step(_EQUAL, each, 0, 1), _step(_RETURN, _ALLOW))
    ]
    return [_load(argument), *checks, _refuse()]


def _argument_not_among(argument: int, refused: tuple[int, ...]) -> list[bytes]:
    checks = [part for each in refused for part in (_step(_EQUAL, each, 0, 1), _refuse())]
    return [_load(argument), *checks, _step(_RETURN, _ALLOW)]


def _without_address() -> list[bytes]:
    """Allow sending on a connected pair alone: an address could name a socket elsewhere."""
    return [
        _load(4),
        _step(_EQUAL, 0, 1, 0),
        _refuse(),
        _load(4, high=True),
        _step(_EQUAL, 0, 1, 0),
        _refuse(),
        _step(_RETURN, _ALLOW),
    ]
