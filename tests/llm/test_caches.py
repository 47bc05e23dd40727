"""Caches beside the ledger: shared where asked, bounded, and no loss when they fail."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from assay import Project
from assay.cli.app import app
from assay.errors import LedgerError
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel
from assay.llm.caches import Cache
from assay.llm.kept import Kept
from assay.llm.shared import SharedAnswers
from assay.llm.vectors import Vectors, keys_for, shared_vectors
from newsroom import newsroom

KIB = 1024


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))


def prompts(count: int) -> list[Prompt]:
    return [Prompt("Which?", str(index)) for index in range(count)]


def asked(model: ScriptedModel, ledger: Path, cache: Cache | None) -> tuple[int, int]:
    """Ask and embed; return the calls of the run, and how many texts are in the model's books."""
    ledger.parent.mkdir(exist_ok=True)
    with (
        Ledger.open(ledger) as opened,
        Gateway(opened, models={model.name: model}, cache=cache) as gateway,
    ):
        assert gateway.choose(model.name, prompts(20), ["a", "b"]).complete
        chosen = gateway.spend.calls
        gateway.embed(model.name, ["one", "two"])
        return chosen, gateway.spend.calls - chosen


@pytest.mark.parametrize("shared", [True, False])
def test_answers_and_embeddings_are_shared_where_asked(tmp_path: Path, shared: bool) -> None:
    model, cache = ScriptedModel(), Cache(shared=shared)
    assert asked(model, tmp_path / "one" / "ledger.sqlite", cache) == (20, 1)
    expected = (0, 0) if shared else (20, 1)
    assert asked(model, tmp_path / "two" / "ledger.sqlite", cache) == expected
    assert shared_vectors().exists() == shared
    # The second project's ledger has the answers on its own record.
    assert asked(model, tmp_path / "two" / "ledger.sqlite", None)[0] == 0


@given(sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=60), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_cache_stays_within_its_bound_and_keeps_the_newest(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], seed: int
) -> None:
    bound = 64 * KIB
    kept = Kept[str, str](tmp_path_factory.mktemp("kept") / f"{seed}.sqlite", "It", max_bytes=bound)
    for number, size in enumerate(sizes):
        kept.add({f"{number}": "x" * size})
        assert kept.held().bytes <= bound
    assert kept.find([str(len(sizes) - 1)]) == {str(len(sizes) - 1): "x" * sizes[-1]}
    before = kept.held()
    assert kept.prune(0) == before.entries
    assert kept.held().entries == 0
    kept.close()


def test_what_was_used_stays_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr("assay.llm.kept.time.time", lambda: now)
    kept = Kept[str, str](tmp_path / "kept.sqlite", "It", max_bytes=10**9)
    for number in range(100):
        now += 1
        kept.add({str(number): "x" * 1000})
    now += 10_000
    assert kept.find(["0"]) == {"0": "x" * 1000}
    kept.prune(kept.held().bytes // 2)
    assert kept.find(["0", "1", "99"]).keys() == {"0", "99"}
    size = (tmp_path / "kept.sqlite").stat().st_size
    kept.close()
    assert size <= 2 * 100_000  # the file itself shrinks once its log is written back


def test_a_full_disk_costs_the_cache_alone(tmp_path: Path) -> None:
    shared = SharedAnswers(tmp_path / "answers.sqlite")
    shared._file.execute("PRAGMA query_only = ON")  # every write fails, as on a full disk
    with pytest.warns(RuntimeWarning, match="The shared cache could not be kept"):
        shared.add({"key": "answer"})
    assert shared.find(["key"]) == {}
    shared.close()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "embeddings.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerError, match=r"delete embeddings\.sqlite"):
        Vectors(tmp_path / "embeddings.sqlite")


def test_redacted_texts_have_other_vectors() -> None:
    redacted = SimpleNamespace(parameters={"redacted": "2:x"})
    assert keys_for("m", redacted)("text") != keys_for("m", ScriptedModel())("text")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    table = newsroom(220, seed=1).drop("row_id")
    made = Project.create(tmp_path / "project", table, target="topic")
    file = made.path / "assay.toml"
    file.write_text(file.read_text().replace("shared = false", "shared = true"))
    return Project.open(made.path)


def test_the_command_shows_and_prunes(project: Project, tmp_path: Path) -> None:
    assert project.settings.cache.shared
    model = ScriptedModel()
    with project.gateway(models={model.name: model}) as gateway:
        gateway.choose(model.name, prompts(5), ["a", "b"])
        gateway.embed(model.name, ["one", "two", "three"])
    own = Vectors(project.state / "embeddings.sqlite")
    own.add({b"k": np.zeros(3, dtype=np.float32)})
    own.close()

    def invoke(*arguments: str) -> str:
        return CliRunner().invoke(app, ["cache", *arguments], catch_exceptions=False).stdout

    at = ("--path", str(project.path))
    told = json.loads(invoke("show", *at, "--json"))
    assert told["shared"]
    counts = {each["name"]: each["entries"] for each in told["caches"]}
    assert counts == {
        "shared answers": 5,
        "shared embeddings": 3,
        "embeddings of this project": 1,
    }
    dropped = json.loads(invoke("prune", *at, "--json"))["caches"]
    assert [(each["dropped"], each["entries"]) for each in dropped] == [(5, 0), (3, 0), (1, 0)]
    assert "shared answers: 0" in invoke("show", *at)
    assert "shared answers" in invoke("show", "--path", str(tmp_path))
    project.ledger().close()
