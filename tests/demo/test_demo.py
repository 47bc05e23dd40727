from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assay import demo
from assay.demo import reuters
from assay.demo.folder import demo_project
from assay.errors import ProjectError
from assay.experiment import FeatureSource
from assay.improve import improve
from assay.label import PoolLabelSource
from newsroom import TASK, newsroom


def test_an_orange_table_is_read_past_its_three_lines_of_header(tmp_path: Path) -> None:
    path = tmp_path / "news.tab"
    path.write_text("Category\tText\nd\tstring\nclass\t\nearn\tprofit\tup\nacq\tbought\n\n")
    rows = reuters.read_tab(path)
    assert rows.rows() == [("earn", "profit\tup"), ("acq", "bought")]


@pytest.fixture
def small_news(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuters, "TASK", TASK)
    monkeypatch.setattr(reuters, "sample", lambda seed: newsroom(400, seed).drop("row_id"))


@pytest.mark.usefixtures("small_news")
def test_an_interrupted_demo_continues_and_a_finished_one_asks(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    first = demo_project(path, seed=0, fresh=False)
    assert demo_project(path, seed=0, fresh=True).search().equals(first.search())
    improve(first, sources=[])
    with pytest.raises(ProjectError, match="finished demo"):
        demo_project(path, seed=0, fresh=False)
    (path / "notes.txt").write_text("mine")
    again = demo_project(path, seed=0, fresh=True)
    assert not again.ledger().entries("run")
    assert (path / "notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("small_news")
def test_another_project_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    demo_project(path, seed=0, fresh=False)
    with pytest.raises(ProjectError, match="another project"):
        demo_project(path, seed=1, fresh=True)


@pytest.mark.slow
@pytest.mark.embedded
def test_the_main_job_with_the_embedded_models_in_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's own path end to end, with 200 rows, 50 unlabelled ones and 300 test rows."""
    rows = reuters.sample(0)
    labelled = rows.filter(pl.col("topic").is_not_null()).head(200)
    unlabelled = rows.filter(pl.col("topic").is_null()).head(50)
    test = reuters.test_split().head(300)
    monkeypatch.setattr(reuters, "sample", lambda seed: pl.concat([labelled, unlabelled]))
    monkeypatch.setattr(reuters, "test_split", lambda: test)
    sources = (PoolLabelSource(), FeatureSource())
    monkeypatch.setattr("assay.improve.sources.registered_sources", lambda: sources)
    found = demo.run(tmp_path / "demo")
    result = found.result
    assert result.cost.calls > 200
    assert "local:smollm2-135m" in result.cost.models
    assert result.kept
    assert result.confirmed is not None
    assert found.after.n == found.test_rows == 300
    assert found.gain.estimate == pytest.approx(found.after.estimate - found.before.estimate)
    assert found.as_dict()["kept_its_word"] == found.kept_its_word
