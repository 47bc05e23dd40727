"""Downloading one file over HTTP, in as many attempts as it takes, without starting over."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from assay.errors import AssetError

Advance = Callable[[int, int | None], None]
"""Called with the bytes that are here, and the bytes there will be where that is known."""

CHUNK = 1 << 16
IDLE_ATTEMPTS = 4
PAUSE_SECONDS = 0.5
"""Before a second attempt; doubled with each further one that brings nothing."""
TIMEOUT_SECONDS = 60
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL_CONTENT = 206


class RefusedError(AssetError):
    """The server answered, and will not hand the file to us (credentials, certificates)."""


def download(url: str, partial: Path, advance: Advance) -> None:
    """Fill ``partial`` from ``url``, going on from the bytes that it already holds.

    A cut connection is resumed; after four attempts in a row that brought nothing the
    download gives up and leaves what it has for the next time.

    Parameters
    ----------
    url
        ``http``, ``https`` or ``file`` address.
    partial
        File that grows; it is complete on return.
    advance
        Told of the progress.

    Raises
    ------
    RefusedError
        When the server refuses, for example for want of credentials.
    AssetError
        When the connection keeps failing.
    """
    idle = 0
    while True:
        before = _size(partial)
        try:
            _attempt(url, partial, advance)
        except (OSError, http.client.HTTPException) as error:
            _raise_if_refused(error)
            idle = 0 if _size(partial) > before else idle + 1
            if idle >= IDLE_ATTEMPTS:
                raise AssetError(
                    "The download was cut off and could not be resumed.",
                    given=error,
                    next_step="run the same command again; it goes on where it stopped",
                ) from error
            time.sleep(PAUSE_SECONDS * 2**idle)
        else:
            return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _raise_if_refused(error: Exception) -> None:
    reason = getattr(error, "reason", None)
    refused = isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500
    if refused or (reason is not None and "certificate" in str(reason).lower()):
        raise RefusedError("The server refused the download.", given=error) from error


def _attempt(url: str, partial: Path, advance: Advance) -> None:
    have = _size(partial)
    # Compressed transfer would make byte ranges meaningless.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (pip gave the address)
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != _RANGE_NOT_SATISFIABLE:
            raise
        if _total(error.headers.get("Content-Range", "")) == have:
            return
        partial.unlink()
        raise http.client.IncompleteRead(b"") from error
    with answer:
        have = have if _goes_on(answer, have) else 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else have + int(length)
        with partial.open("ab" if have else "wb") as out:
            _copy(answer, out, have, total, advance)


def _goes_on(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the server sends the rest; one that knows no ranges starts over."""
    if getattr(answer, "status", None) != _PARTIAL_CONTENT:
        return False
    sent = answer.headers.get("Content-Range", "")
    return sent.startswith(f"bytes {have}-")


def _total(content_range: str) -> int | None:
    found = re.fullmatch(r"bytes \*/(\d+)", content_range)
    return int(found[1]) if found else None


def _copy(
    answer: http.client.HTTPResponse,
    out: BinaryIO,
    have: int,
    total: int | None,
    advance: Advance,
) -> None:
    advance(have, total)
    while chunk := answer.read(CHUNK):
        try:
            out.write(chunk)
            out.flush()
        except OSError as error:
            raise AssetError(
                "The download could not be written.",
                given=error.strerror,
                next_step="free some space, then run the same command again",
            ) from error
        have += len(chunk)
        advance(have, total)
    if total is not None and have < total:
        raise http.client.IncompleteRead(b"", total - have)
