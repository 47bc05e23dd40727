"""A search on Ray's own cluster on this machine: the same trials, limits, losses and resumption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay import Project
from assay.engine import cluster
from assay.errors import MissingExtraError
from assay.experiment import experiment
from assay.experiment.record import TRIED
from troublesome import shop

SEARCH: dict[str, Any] = {
    "minutes": 20,  # it ends sooner, when all were tried
    "families": ("linear",),
    "most": 7,
    "workers": 1,
    "confirm": False,
}

RUN = """
import json, sys
import ray
from assay import Project
from assay.errors import InputError
from assay.experiment import experiment
from assay.experiment.search.cluster import working_on_cluster
from assay.experiment.search.jobs import Context, Job
from assay.experiment.search.pool import Limits
from assay.recipe import Estimator, Tools

NAMES = {"Hangs": 2, "EatsMemory": 300, "Crashes": 300, "KillsItsParent": 300, "Raises": 300}

def reasons(project):
    recipe, found = project.recipe, {}
    context = Context(project.search(), project.task, Tools(read_table=print, embed=print), 5, 1)
    with working_on_cluster(2, Limits(300.0, 2**29)) as pool:
        pool.open(context)
        waiting = [(Job(recipe, 1), 300)]
        for name, seconds in NAMES.items():
            estimator = Estimator(path=f"troublesome.{name}")
            waiting.append((Job(recipe.model_copy(update={"estimator": estimator}), 1), seconds))
        while waiting or pool.busy:
            while waiting and pool.idle:
                job, seconds = waiting.pop(0)
                pool.submit(job, seconds=seconds)
            for each in pool.wait():
                found[each.job.recipe.estimator.path.rpartition(".")[2]] = each.reason
    return found

if __name__ == "__main__":
    results, sys.stdout = sys.stdout, sys.stderr  # Ray tells of a lost worker on standard output
    ray.init(num_cpus=2, object_store_memory=10**8, include_dashboard=False, log_to_driver=False)
    project = Project.open(sys.argv[1])
    options = json.loads(sys.argv[2])
    try:
        experiment(project, engine="ray", **{**options, "workers": 3})
    except InputError as error:
        print(json.dumps(error.given), file=results, flush=True)
    print(json.dumps(reasons(project)), file=results, flush=True)
    experiment(project, engine="ray", **options)
"""


def project(folder: Path, rows: int = 200) -> Project:
    return Project.create(folder, shop(rows), target="bought", seed=2)


def tried(folder: Path) -> list[dict[str, Any]]:
    with Project.open(folder).ledger() as ledger:
        return [each.body for each in ledger.entries("event") if each.body.get("what") == TRIED]


@pytest.fixture
def searching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("RAY_worker_niceness", "0")  # by default it gives way to everything else
    made = project(tmp_path / "there")
    command = [sys.executable, "-c", RUN, str(made.path), json.dumps(SEARCH)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_search_on_ray_is_the_search_of_this_machine(
    searching: subprocess.Popen[str], tmp_path: Path
) -> None:
    """One start of Ray serves all of it: starts are most of the time that this test takes."""
    assert searching.stdout is not None
    assert json.loads(searching.stdout.readline()) == "workers = 3"
    reasons = json.loads(searching.stdout.readline())
    assert reasons.pop("Hangs") == "it took longer than 2 s"
    assert reasons.pop("EatsMemory") == "it held more than 512 MiB"
    assert reasons.pop("Crashes") == "the process died: SIGSEGV"
    assert reasons.pop("KillsItsParent") == "its worker on the Ray cluster was lost"
    assert reasons.pop("Raises") == "RuntimeError: it does not want to"
    assert reasons == {"LogisticRegression": None}, "what went wrong cost the others nothing"

    folder = tmp_path / "there"
    while len(tried(folder)) < 4:
        assert searching.poll() is None
        time.sleep(0.02)
    searching.send_signal(signal.SIGKILL)
    searching.wait()
    before = tried(folder)
    experiment(Project.open(folder), **SEARCH)
    after = tried(folder)
    assert 4 <= len(before) < len(after)
    assert after[: len(before)] == before
    assert {each["number"] for each in after} == set(range(SEARCH["most"]))
    finished = [each["number"] for each in after if each["state"] == "finished"]
    assert len(finished) == len(set(finished)), "nothing that was judged is judged again"

    here = project(tmp_path / "here")
    experiment(here, **SEARCH)
    same = [(each["recipe"], each["scores"]) for each in tried(here.path)]
    assert [(each["recipe"], each["scores"]) for each in before] == same[: len(before)]


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'assay\[ray\]'"):
        experiment(project(tmp_path / "shop"), engine="ray")
