"""Asking the user's own pip where a release lies, and letting it fetch where we cannot."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from assay.assets.pip import Answer, has_pip, pip
from assay.errors import AssetError

_USAGE_ERROR = 2


def _pip(*arguments: str) -> Answer:
    if not has_pip():
        raise AssetError(
            "Assets come through pip, and this Python environment has none.",
            given=sys.prefix,
            next_step="python -m ensurepip, or uv pip install pip",
        )
    return pip(*arguments)


def _failed(release: str, answer: Answer) -> AssetError:
    errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR:")]
    return AssetError(
        f"pip found no usable wheel of {release}.",
        given=errors[-1].removeprefix("ERROR:").strip() if errors else None,
        next_step="check the network and pip's index-url; "
        f"or put the wheel in a folder and set PIP_FIND_LINKS to it ({release})",
    )


def locate(release: str) -> str:
    """Return the URL of a release's wheel on the index that pip is set to use.

    Nothing is installed, and pip reads the wheel's metadata alone where it can.

    Raises
    ------
    AssetError
        When pip is absent, or knows no wheel of that release.
    """
    query = ("install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet")
    wheel_only = ("--only-binary", ":all:", "--report", "-", release)
    # An index without separate metadata would make pip download the wheel just to answer;
    # "fast-deps" reads the metadata out of it by ranges. Older and newer pips may lack it.
    answer = _pip(*query, "--use-feature=fast-deps", *wheel_only)
    if answer.returncode == _USAGE_ERROR:
        answer = _pip(*query, *wheel_only)
    if answer.returncode != 0:
        raise _failed(release, answer)
    report: dict[str, Any] = json.loads(answer.stdout)
    return str(report["install"][0]["download_info"]["url"])


def let_pip_download(release: str, folder: Path) -> Path:
    """Have pip download a release's wheel, with its own credentials and certificates.

    Raises
    ------
    AssetError
        When pip cannot.
    """
    answer = _pip(
        "download", "--no-deps", "--only-binary", ":all:", "--quiet",
        "--dest", str(folder), release,
    )  # fmt: skip
    if answer.returncode != 0:
        raise _failed(release, answer)
    return next(folder.glob("*.whl"))
