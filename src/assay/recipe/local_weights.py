"""Weights of tabular networks on this machine already: what their packages have fetched."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

VERSION = re.compile(r"-v(\d+(?:\.\d+)?)")


def weights_folder(package: str) -> Path:
    """Return where a package keeps the weights that it has fetched, as its documents say."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if package == "tabicl":
        home = Path(os.environ.get("HF_HOME") or cache / "huggingface")
        return Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / "models--jingang--TabICL"
    if given := os.environ.get("TABPFN_MODEL_CACHE_DIR"):
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / package
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "")) / package
    return cache / package


def local_weights(package: str, *, regression: bool) -> Path | None:
    """Return the newest weights of a package on this machine; None where there are none.

    A file that names neither kind of task holds both.
    """
    other = "classifier" if regression else "regressor"
    found = [
        each
        for ending in ("ckpt", "safetensors")
        for each in weights_folder(package).rglob(f"{package}-*.{ending}")
        if other not in each.name and each.exists()
    ]
    return max(found, key=_newest, default=None)


def version_of(weights: str) -> float:
    """Return the version that the name of a file of weights tells; 1 where it tells none."""
    found = VERSION.search(weights)
    return float(found[1]) if found else 1.0


def _newest(weights: Path) -> tuple[float, bool, int, str]:
    return version_of(weights.name), "default" in weights.name, -len(weights.name), weights.name
