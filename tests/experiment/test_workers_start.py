"""What a worker imports before there is work: skrub without plots, which are there when used."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from assay.cli import experiment as command
from assay.engine import ahead
from assay.engine.ahead import started_ahead, take_started
from assay.experiment.search.jobs import Context, Job
from assay.experiment.search.pool import Limits
from assay.experiment.search.processes import ProcessPool, working
from assay.recipe import Tools, baseline_recipe
from assay.task import ClassDescription, Task
from troublesome import shop

CLASSES = (ClassDescription(name="no"), ClassDescription(name="yes"))


def told(code: str) -> list[str]:
    """Return the lines that a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_worker_imports_skrub_without_plots_and_they_are_there_when_used() -> None:
    code = """
import sys
from assay.experiment.search.ahead import import_ahead
import_ahead(("there_is_no_such_module", "skrub"))
print("skrub" in sys.modules, [each for each in sys.modules if each.startswith("matplotlib")])
import polars, skrub
page = skrub.TableReport(polars.DataFrame({"size": [1.0, 2.0, 4.0] * 9}), verbose=0).html()
from matplotlib import pyplot
print("<svg" in page, skrub._reporting._plotting.plt.plot is pyplot.plot)
"""
    assert told(code) == ["True []", "True True"]


def test_what_draws_while_it_is_imported_gets_the_real_module() -> None:
    code = """
from assay.experiment.search.ahead import plots_postponed
with plots_postponed():
    from matplotlib import pyplot
    figures = pyplot.get_fignums()
    from matplotlib import colors
print(figures, colors.to_hex("red"))
"""
    assert told(code) == ["[] #ff0000"]


def test_what_asks_for_more_than_plots_fails_and_is_imported_afterwards() -> None:
    code = """
from assay.experiment.search.ahead import plots_postponed
with plots_postponed():
    try:
        from matplotlib import colors
    except ImportError:
        print("not yet")
from matplotlib import colors
print(colors.to_hex("red"))
"""
    assert told(code) == ["not yet", "#ff0000"]


def test_the_main_process_starts_the_first_worker_before_it_imports_what_fits_need() -> None:
    code = """
import sys
import assay.experiment.run
print([each for each in ("sklearn", "pandas", "scipy.stats", "skrub") if each in sys.modules])
"""
    assert told(code) == ["[]"]


ROWS = shop(60)
SHOP = Task(
    kind="binary", modality="tabular", target="bought", features=("size", "age"), classes=CLASSES
)


def no_tools(*_: object, **__: object) -> None:
    raise AssertionError


RECIPE = baseline_recipe(SHOP)
CONTEXT = Context(ROWS, SHOP, Tools(read_table=no_tools, embed=no_tools), 3, 1)  # type: ignore[arg-type]


def test_jobs_go_to_workers_that_have_started_and_wait_for_none_that_still_starts() -> None:
    with working(2, Limits(60.0)) as pool:
        pool.open(CONTEXT)
        late = pool._workers[1].process.pid
        os.kill(late, signal.SIGSTOP)
        assert pool.idle == 1
        for fold in range(3):
            assert pool.idle == 1
            pool.submit(Job(RECIPE, 0, 0, fold))
            (outcome,) = pool.wait(60.0)
            assert outcome.predictions is not None
        os.kill(late, signal.SIGCONT)
        pool.submit(Job(RECIPE, 1))
        while pool.idle < 1:
            pool.wait(1.0)
        assert pool.busy <= 1


def test_a_process_that_the_command_started_ahead_is_the_first_worker() -> None:
    with started_ahead(command.WORKER):
        with working(1, Limits(60.0), ("skrub",)) as pool:
            process = pool._workers[0].process
            assert take_started(command.WORKER) is None, "it is taken"
            assert pool._folder.name.startswith("assay-ahead-")
            pool.open(CONTEXT)
            assert pool.idle == 1
            pool.submit(Job(RECIPE, 0))
            (outcome,) = pool.wait(60.0)
            assert outcome.predictions is not None
        assert process.poll() is not None
        assert not pool._folder.exists()


AT_ONCE = r"""
import sys
for _ in ("modules", "context", "job"):
    sys.stdin.readline()
sys.stdout.write('{"ready": true}\n{"ok": false, "reason": "refused"}\n')
sys.stdout.flush()
sys.stdin.readline()
"""


def test_two_answers_that_come_at_once_are_both_heard(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    pool = ProcessPool(tmp_path, 1, Limits(60.0), first=process)
    try:
        pool.open(CONTEXT)
        pool.submit(Job(RECIPE, 0))
        (outcome,) = pool.wait(30.0)
        assert outcome.reason == "refused"
    finally:
        pool.close()


def test_a_process_that_nothing_has_taken_ends() -> None:
    with started_ahead(command.WORKER):
        (started,) = ahead._waiting.values()
        assert started.process.poll() is None
    assert started.process.poll() is not None
    assert not started.home.path.exists()
    assert take_started(command.WORKER) is None
