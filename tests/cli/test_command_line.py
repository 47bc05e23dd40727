"""The command line as a person or a script meets it; in a process where that matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import assay
from assay.cli.app import load_command
from assay.cli.commands import COMMANDS
from assay.cli.output import emit_json
from in_process import assay as told_by
from newsroom import newsroom


def run(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assay", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "news.csv"
    newsroom(400).drop("row_id").write_csv(path)
    return path


@pytest.fixture
def project(tmp_path: Path, data: Path) -> Path:
    assert (
        told_by("init", data, "--target", "topic", "--path", "news", cwd=tmp_path).returncode == 0
    )
    return tmp_path / "news"


def test_help_lists_every_command_and_imports_none_of_them(tmp_path: Path) -> None:
    listing = """
import sys
sys.argv = ["assay", "--help"]
from assay.cli import main
try:
    main()
except SystemExit as stop:
    heavy = {"numpy", "polars", "sklearn", "torch", "sqlalchemy", "scipy"} & set(sys.modules)
    sys.exit(f"imported {heavy}" if heavy else stop.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert name in done.stdout


def test_importing_assay_is_light() -> None:
    script = (
        "import sys, assay; "
        "sys.exit(({'numpy', 'polars', 'torch', 'pydantic', 'rich'} & set(sys.modules) or 0))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


@pytest.mark.parametrize("first", ["assay.improve", "assay.improve.events", "assay"])
def test_a_package_and_its_function_share_a_name_in_any_order_of_imports(first: str) -> None:
    script = (
        f"import {first}; import assay.improve.events; from assay import improve; "
        "import assay; assert callable(improve) and callable(assay.improve); "
        "assert assay.improve.events.ignore"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


def test_every_public_name_resolves() -> None:
    for name in assay.__all__:
        assert getattr(assay, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = assay.nonsense  # type: ignore[attr-defined]


EXPLAINED = """
import json, os, sys
from assay.cli import main
import assay.cli.app, pydantic, rich.console  # what every command loads, once for all of them

codes = {}
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        sys.argv = ["assay", name, "--help"]
        main()
    codes[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(codes), file=sys.stderr)
"""


@pytest.mark.slow
def test_every_command_explains_itself() -> None:
    """Each is loaded by a process of its own that holds no other command."""
    done = subprocess.run(
        [sys.executable, "-c", EXPLAINED, *COMMANDS], capture_output=True, text=True
    )
    assert json.loads(done.stderr.splitlines()[-1]) == dict.fromkeys(COMMANDS, 0), done.stderr
    for name in COMMANDS:
        assert f"Usage: assay {name} " in done.stdout


def leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something by itself."""
    for inner in getattr(command, "commands", {}).items():
        yield from leaves(inner[1], f"{name} {inner[0]}")
    if not getattr(command, "no_args_is_help", False):
        yield name, command


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_can_answer_in_json(name: str) -> None:
    for words, command in leaves(load_command(name), name):
        options = [option for each in command.params for option in each.opts]
        assert "--json" in options, words


def test_version(tmp_path: Path) -> None:
    assert run("--version", cwd=tmp_path).stdout.split() == ["assay", assay.__version__]
    assert json.loads(run("version", "--json", cwd=tmp_path).stdout)["assay"] == assay.__version__


def test_json_has_no_figure_that_is_not_finite(capsys: pytest.CaptureFixture[str]) -> None:
    emit_json({"bounds": [float("-inf"), 0.5], "rate": float("nan"), "n": 3, "name": "é"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"bounds": [None, 0.5], "rate": None, "n": 3, "name": "é"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["improve"], "no project here"),
        (["report"], "no project here"),
        (["log"], "no project here"),
        (["show", "run-1"], "no project here"),
        (["predict", "news.csv", "--out", "x.csv"], "no project here"),
        (["init", "absent.csv", "--target", "topic"], "no such file"),
        (["assets", "fetch", "smolm"], "smollm2-135m"),
    ],
)
def test_a_mistake_is_told_once_with_exit_code_2(
    words: list[str], part: str, tmp_path: Path, data: Path
) -> None:
    done = told_by(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    told = told_by(*words, "--json", cwd=tmp_path)
    assert told.returncode == 2
    document = json.loads(told.stdout)
    assert part in json.dumps(document)


@pytest.mark.slow
def test_a_process_tells_a_mistake_as_the_command_does(tmp_path: Path) -> None:
    done, told = run("log", cwd=tmp_path), told_by("log", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (told.returncode, told.stdout) == (2, "")
    assert done.stderr.split() == told.stderr.split()


def test_an_unknown_command_or_option_exits_with_2(tmp_path: Path) -> None:
    for words in (["frobnicate"], ["init", "x.csv", "--tarmac", "y"], []):
        assert run(*words, cwd=tmp_path).returncode == 2
    assert "'improve'" in run("imrpove", cwd=tmp_path).stderr


@pytest.mark.slow
def test_no_colours_when_piped_or_asked_for_none(tmp_path: Path) -> None:
    for environment in ({}, {"NO_COLOR": "1", "FORCE_COLOR": ""}):
        done = run("improve", cwd=tmp_path, **environment)
        assert "\x1b[" not in done.stderr


@pytest.mark.slow
def test_the_ledger_can_be_read(project: Path) -> None:
    listed = json.loads(told_by("log", "--json", cwd=project).stdout)
    assert listed
    entry: dict[str, Any] = listed[0]
    shown = json.loads(told_by("show", entry["id"], "--json", cwd=project).stdout)
    assert shown == entry
    assert entry["id"] in told_by("log", cwd=project).stdout
    assert entry["id"] in told_by("show", entry["id"], cwd=project).stdout
    missing = told_by("show", "verdict-77", cwd=project)
    assert missing.returncode == 2
    assert "verdict-77" in missing.stderr


@pytest.mark.slow
def test_new_rows_are_predicted_with_probabilities(project: Path, tmp_path: Path) -> None:
    newsroom(30, seed=9).select("text").write_csv(tmp_path / "new.csv")
    done = told_by("predict", tmp_path / "new.csv", "--out", tmp_path / "out.jsonl", cwd=project)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 30
    for row in rows:
        shares = {name: row[f"probability:{name}"] for name in ("farm", "money", "sport")}
        assert sum(shares.values()) == pytest.approx(1)
        assert row["prediction"] == max(shares, key=shares.__getitem__)
    (tmp_path / "wrong.csv").write_text("body\nwheat\n")
    wrong = told_by("predict", tmp_path / "wrong.csv", "--out", tmp_path / "w.csv", cwd=project)
    assert wrong.returncode == 2
    assert not (tmp_path / "w.csv").exists()


@pytest.mark.slow
def test_a_report_of_no_run_says_what_to_do(project: Path) -> None:
    done = told_by("report", cwd=project)
    assert done.returncode == 2
    assert "assay improve" in done.stderr


@pytest.mark.slow
def test_a_run_is_watched_stopped_continued_and_told_again(project: Path) -> None:
    before = (project / "assay.toml").read_text()
    words = [sys.executable, "-m", "assay", "improve", "--min-effect", "0.001"]
    running = subprocess.Popen(
        words, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    while "(" not in running.stderr.readline():  # until the first verdict, which has an interval
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert "stopped; run the same command again to continue" in err
    assert "Traceback" not in err

    done = run("improve", "--min-effect", "0.001", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["attempts"]
    assert {
        each["verdict"]["evidence"][0]["details"]["min_effect"] for each in result["attempts"]
    } == {0.001}
    assert (project / "assay.toml").read_text() == before
    assert "</html>" in (project / "report.html").read_text()

    assert json.loads(told_by("report", "--json", cwd=project).stdout) == result
    told = told_by("report", "--run", result["run"], "--html", "again.html", cwd=project)
    assert result["attempts"][0]["verdict_id"] in told.stdout
    assert (project / "again.html").read_text() == (project / "report.html").read_text()
    runs = json.loads(told_by("log", "--kind", "run", "--json", cwd=project).stdout)
    assert [each["id"] for each in runs] == [result["run"]]
    artefacts = json.loads(told_by("log", "--kind", "artefact", "--json", cwd=project).stdout)
    kept = [each["id"] for each in artefacts if each["body"]["name"] == "result.json"]
    assert '"project": "news"' in told_by("show", kept[0], cwd=project).stdout


@pytest.mark.slow
def test_a_cap_that_is_unusable_is_refused(project: Path) -> None:
    for words, part in (("--min-effect=-1", "min_effect"), ("--minutes=-1", "budget.minutes")):
        done = told_by("improve", words, cwd=project)
        assert done.returncode == 2
        assert part in done.stderr


def test_completion_is_offered(tmp_path: Path) -> None:
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # not this test's own shell
    script = run("--show-completion", "bash", cwd=tmp_path, **named)
    assert "assay" in script.stdout + script.stderr
    asked = {
        "_ASSAY_COMPLETE": "complete_bash",
        "COMP_WORDS": "assay improve --m",
        "COMP_CWORD": "2",
    }
    entry = "from assay.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['assay']; {entry}"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
    )
    assert "--min-effect" in done.stdout.split()
