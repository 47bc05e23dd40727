"""What the package index that pip is set to use says of a library.

Asked by the index's JSON interface (PEP 691, with the dates of PEP 700 and the separate metadata
of PEP 658); an index that tells less leaves those fields empty.
"""

from __future__ import annotations

import email
import json
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import cache
from http import HTTPStatus
from importlib import metadata
from platform import python_version
from typing import Any
from urllib.parse import urljoin

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from assay.ask.spec import Library
from assay.assets.pip import pip

STALE_DAYS = 2 * 365
TIMEOUT_SECONDS = 10
MAX_BYTES = 64 * 2**20
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
_DEFAULT = re.compile(r"--index-url <url>.*?\(default\s*(\S+?)\)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
File = dict[str, Any]


def check_libraries(names: Sequence[str], *, offline: bool = False) -> tuple[Library, ...]:
    """Return what is known of each library, in order.

    Parameters
    ----------
    offline
        Whether to ask nobody, and tell what is installed alone.
    """
    if not names:
        return ()
    index = None if offline else index_url()
    with ThreadPoolExecutor(max_workers=4) as pool:
        return tuple(pool.map(lambda name: check_library(name, index), names))


def check_library(name: str, index: str | None) -> Library:
    """Return what an index says of one library; without an index, what is installed."""
    here = _installed(name)
    if _NAME.fullmatch(name) is None:
        return Library(name, listed=False, warnings=("this is no name of a library",))
    if index is None:
        return _unasked(name, here)
    try:
        files = _files(name, index)
    except (OSError, ValueError):
        return _unasked(name, here)
    if files is None:
        return Library(name, listed=False, warnings=("the package index does not list it",))
    releases = _releases(files)
    usable = [version for version in releases if _supports(releases[version])]
    newest = max(usable or releases, default=None)
    chosen = releases[newest] if newest is not None else []
    released = max((day for each in chosen if (day := _day(each)) is not None), default=None)
    supports = bool(usable) if releases else None
    return Library(
        name=name,
        listed=True,
        latest=None if newest is None else str(newest),
        released=released,
        supports_python=supports,
        licence=_licence(chosen, index) or (here and _licence_in(here)),
        installed=here and here["Version"],
        warnings=tuple(_warnings(released, supports)),
    )


@cache
def index_url() -> str | None:
    """Return the address of the index that pip uses; None where there is no pip to ask."""
    found = _DEFAULT.search(pip("install", "--help").stdout)
    return None if found is None else found[1].rstrip("/") + "/"


def distribution_of(module: str) -> str:
    """Return the library that a module comes from; its own name where it is not installed."""
    return next(iter(_distributions().get(module, ())), module)


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: sorted(set(found)) for name, found in metadata.packages_distributions().items()}


def _files(name: str, index: str) -> list[File] | None:
    """Return the files of a library; None where the index does not know it."""
    try:
        with _opened(urljoin(index, canonicalize_name(name) + "/"), _ACCEPT) as answer:
            kind, body = answer.headers.get("Content-Type", ""), answer.read(MAX_BYTES)
            base = answer.url
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return None
        raise
    if "json" not in kind:
        return []  # an older index: it is listed, and that is all that is told
    files = json.loads(body)["files"]
    return [each | {"url": urljoin(base, each["url"])} for each in files if not each.get("yanked")]


def _releases(files: Sequence[File]) -> dict[Version, list[File]]:
    """Return the files of each final release."""
    found: dict[Version, list[File]] = {}
    for each in files:
        version = _version(str(each["filename"]))
        if version is not None and not version.is_prerelease:
            found.setdefault(version, []).append(each)
    return found


def _version(filename: str) -> Version | None:
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[1]
        return parse_sdist_filename(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None


def _supports(files: Sequence[File]) -> bool:
    return any(_fits(each.get("requires-python") or "") for each in files)


def _fits(required: str) -> bool:
    try:
        return SpecifierSet(required).contains(python_version(), prereleases=True)
    except InvalidSpecifier:
        return True


def _day(file: File) -> date | None:
    told = file.get("upload-time")
    return None if told is None else datetime.fromisoformat(told).date()


def _licence(files: Sequence[File], index: str) -> str | None:
    for each in files:
        if each.get("core-metadata"):
            try:
                with _opened(f"{each['url']}.metadata", "*/*") as answer:
                    return _licence_in(email.message_from_bytes(answer.read(MAX_BYTES)))
            except OSError:
                return None
    return None


def _licence_in(told: Any) -> str | None:
    """Return the licence that metadata tell: an expression, a classifier, or the first line."""
    if told["License-Expression"]:
        return str(told["License-Expression"])
    for each in told.get_all("Classifier") or ():
        if each.startswith("License :: ") and each != "License :: OSI Approved":
            return str(each).rpartition(" :: ")[2]
    lines = str(told["License"] or "").strip().splitlines()
    return lines[0][:80] if lines else None


def _installed(name: str) -> Any:
    try:
        return metadata.metadata(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _unasked(name: str, here: Any) -> Library:
    return Library(
        name,
        licence=here and _licence_in(here),
        installed=here and here["Version"],
        warnings=("the package index was not asked or could not be reached",),
    )


def _warnings(released: date | None, supports: bool | None) -> list[str]:
    found = []
    if supports is False:
        found.append(f"no release supports Python {python_version()}")
    if released is not None and (datetime.now(UTC).date() - released).days > STALE_DAYS:
        found.append(f"its last release was on {released}, over two years ago")
    return found


def _opened(url: str, accept: str) -> Any:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 (pip's address)
    return urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
