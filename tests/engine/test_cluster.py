"""Work on Ray's own cluster on this machine, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from assay.engine import cluster
from assay.errors import AssayError, MissingExtraError
from assay.label.run import Order
from assay.label.spec import LabelSettings

WORK = """
import os
from contextlib import contextmanager
from assay.engine.cluster import run_on_cluster
from assay.errors import InputError

@contextmanager
def worker():
    opened = os.getpid()
    def work(item):
        assert os.getpid() == opened
        if item == "bad":
            raise InputError("This item is bad.", given=item)
        return item * 2, opened
    yield work

if __name__ == "__main__":
    import ray
    ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False, log_to_driver=False)
    done = []
    try:
        for each in run_on_cluster(worker, [*range(12), "bad"], workers=2):
            done.append(each)
    except InputError as error:
        assert error.given == "bad"
    else:
        raise AssertionError("nothing was raised")
    assert [each for each, _ in done] == [2 * number for number in range(12)]
    assert len({process for _, process in done}) <= 2, "the pool is kept"
    print("fine")
"""

LOST = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from assay.engine import cluster
from assay.errors import AssayError

folder = Path(sys.argv[1])

@contextmanager
def worker():
    def work(item):
        begun = folder / str(item)
        if item == 3 and not begun.exists() or item == "always":
            with begun.open("a") as file:
                file.write("x")
            os.kill(os.getpid(), signal.SIGKILL)
        return item * 2
    yield work

if __name__ == "__main__":
    import ray
    ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False, log_to_driver=False)
    done = list(cluster.run_on_cluster(worker, range(12), workers=2))
    assert done == [2 * number for number in range(12)]
    assert (folder / "3").exists()
    cluster.RETRIES = 1
    try:
        list(cluster.run_on_cluster(worker, ["fine", "always"], workers=2))
    except AssayError as error:
        assert "lost again and again" in str(error) and "2 tries" in error.given
    else:
        raise AssertionError("nothing was raised")
    assert len((folder / "always").read_text()) == 2
    print("fine")
"""


@pytest.mark.slow
def test_a_lost_worker_is_made_anew_and_one_that_is_always_lost_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    done = subprocess.run(
        [sys.executable, "-c", LOST, str(tmp_path)], capture_output=True, text=True, timeout=200
    )
    assert "fine" in done.stdout, done.stderr


@pytest.mark.slow
def test_results_come_in_order_from_a_pool_that_is_kept() -> None:
    pytest.importorskip("ray")
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=200)
    assert "fine" in done.stdout, done.stderr


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'assay\[ray\]'"):
        Order(LabelSettings(), engine="ray")


def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for given in (address, f"ray://{address}"):
            monkeypatch.setenv("RAY_ADDRESS", given)
            with pytest.raises(AssayError, match="does not answer") as raised:
                cluster.cluster_workers()
            assert given in str(raised.value)
            assert "unset RAY_ADDRESS" in str(raised.value)
