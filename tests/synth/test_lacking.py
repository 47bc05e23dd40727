"""Where rows are lacking: a thin slice that a diagnosis confirmed, rare classes, empty corners."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project, SynthesisResult, diagnose, synthesize
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.propose import FindingSource
from assay.ledger import Ledger
from assay.llm import Gateway
from assay.recipe import Observation
from assay.recipe.weak import WeakSlice, record_weak_slices, weak_slices
from assay.synth.lacking import chosen_scope, scarcities
from assay.synth.report.story import tell
from assay.synth.source import SynthesisSource
from assay.tables.predicate_text import predicate_from_words
from synth.tables_made_up import TASK, customers

WEST = predicate_from_words('region = "west"')


def with_a_thin_slice(n: int = 900) -> pl.DataFrame:
    """Two even classes, told apart by ``x``; in the west, a tenth of the rows, the other way."""
    random = np.random.default_rng(0)
    region = random.choice(["north", "south", "west"], n, p=[0.5, 0.4, 0.1])
    x, y = random.normal(size=(2, n))
    upside = np.where(region == "west", -1, 1)
    label = np.where(upside * x + random.normal(0, 0.3, n) > 0, "yes", "no")
    return pl.DataFrame({"x": x, "y": y, "region": region, "label": label})


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(
        tmp_path / "p", with_a_thin_slice(), target="label", kind="binary", metric="accuracy"
    )
    yield made
    made.ledger().close()


@pytest.mark.slow
def test_a_thin_slice_that_a_diagnosis_confirmed_is_what_synthesis_takes(project: Project) -> None:
    rows, task = project.search(), project.task
    assert scarcities(rows, task, project.ledger()) == ()
    found = diagnose(project, detectors=[SliceDetector()])
    assert "AS101" in {each.code for each in found.findings}
    result = synthesize(project, method="copula", doses=(1,), confirm=False)
    assert (result.class_name, result.where) == (None, WEST.words)
    assert set(project.ledger().read_table(result.artefact)["region"]) == {"west"}
    assert f"AS101 of {found.id}" in result.lacking[0]
    assert f'made of: rows where region = "west": {result.real_rows} of ' in tell(result)[0]
    assert SynthesisResult.from_json(result.to_json()) == result
    named = chosen_scope(rows, task, project.ledger(), for_class="no")
    assert (named.class_name, named.where.conditions, named.seen) == ("no", (), ())
    by_smote = chosen_scope(rows, task, project.ledger(), method="smote")
    assert by_smote.class_name is not None, "SMOTE makes rows of one class"


def test_findings_propose_the_same_rows_so_that_they_are_tried_once(project: Project) -> None:
    diagnose(project, detectors=[SliceDetector()])
    ledger = project.ledger()
    with Gateway(ledger) as gateway:
        seen = Observation(
            task=project.task,
            recipe=project.recipe,
            search=project.search(),
            pool=project.pool(),
            gateway=gateway,
            ledger=ledger,
            seed=0,
        )
        by_synth, by_findings = (
            {each.name: each.apply(seen.recipe).hash for each in source.propose(seen)}
            for source in (SynthesisSource(), FindingSource())
        )
    name = 'made rows where region = "west": forest x1'
    assert by_synth[name] == by_findings[name]
    assert 'made rows where region = "west": forest x4' in by_synth


def test_slices_are_read_for_the_rows_that_were_diagnosed_alone(tmp_path: Path) -> None:
    rows = customers()
    north = WeakSlice(predicate_from_words('region = "north"'), None, "AS101 of run-1")
    west = WeakSlice(WEST, "rare", "AS104 of run-2")
    with Ledger.open(tmp_path / "ledger") as ledger:
        first, second = (ledger.start_run("diagnose", {}) for _ in range(2))
        record_weak_slices(ledger, first, rows, TASK, [north])
        record_weak_slices(ledger, second, rows, TASK, [west, north])
        assert weak_slices(ledger, rows.reverse(), TASK) == (west, north), "the newest"
        assert weak_slices(ledger, rows.head(200), TASK) == ()
        record_weak_slices(ledger, second, rows, TASK, [])
        assert weak_slices(ledger, rows, TASK) == ()


def test_a_slice_of_many_rows_is_not_thin_and_one_of_few_cannot_be_made_of(
    tmp_path: Path,
) -> None:
    rows = customers(gaps=False)
    wide, narrow = (predicate_from_words(each) for each in ("age > 30", "age > 60 and age <= 62"))
    thin = predicate_from_words('region = "west"')
    with Ledger.open(tmp_path / "ledger") as ledger:
        run = ledger.start_run("diagnose", {})
        found = [WeakSlice(each, None, "AS101 of run-1") for each in (wide, narrow, thin)]
        assert 0 < narrow.select(rows).sum() < 5
        record_weak_slices(ledger, run, rows, TASK, found)
        seen = scarcities(rows, TASK, ledger)
    assert [(each.kind, each.class_name) for each in seen] == [("slice", None), ("class", "rare")]
    assert seen[0].where == thin
    assert seen[0].rows == thin.select(rows).sum()


def test_a_class_of_too_few_rows_is_told_and_the_next_is_taken(tmp_path: Path) -> None:
    rows = customers(gaps=False)
    few = rows.filter(pl.col("class") == "rare").head(4)
    rows = pl.concat([few, rows.filter(pl.col("class") == "common")])
    with Ledger.open(tmp_path / "ledger") as ledger:
        taken = chosen_scope(rows, TASK, ledger)
        named = chosen_scope(rows, TASK, ledger, for_class="common")
    assert (taken.class_name, taken.seen[0].rows) == ("common", rows.height - 4)
    assert {each.kind for each in taken.seen[1:]} == {"corner"}, "seen, and not taken"
    assert taken.too_few == (
        "'rare' has 4 search rows, too few to make others from: label at least 1 more",
    )
    assert named.too_few == ()
