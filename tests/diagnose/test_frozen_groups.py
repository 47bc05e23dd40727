"""Frozen findings that are measured by what they are about, not by how they are told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.calibration_slices import SliceCalibrationDetector
from assay.diagnose.detectors.fairness import FairnessDetector
from assay.diagnose.detectors.mixtures import MixtureDetector
from assay.diagnose.detectors.outliers import OutlierDetector
from assay.diagnose.freezing import freeze
from assay.diagnose.frozen import Frozen, Subject
from assay.diagnose.report import freezable, hidden
from assay.diagnose.spec import Diagnosis
from assay.errors import InputError
from assay.llm import ScriptedModel
from assay.llm.privacy.redaction import Redactor
from assay.project import Project
from newsroom import newsroom


def news(farm_wrong: float, seed: int = 0, n: int = 1200) -> pl.DataFrame:
    """Texts of which a twentieth are judged wrongly, those on farms as often as said."""
    random, rows = np.random.default_rng(seed), newsroom(n, seed=seed, topical=0.6)
    farm = (rows["topic"] == "farm").to_numpy()
    truth = random.choice(["a", "b"], n)
    wrong = random.random(n) < np.where(farm, farm_wrong, 0.05)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    return rows.select("text").with_columns(y=pl.Series(truth), prediction=pl.Series(said))


def frozen(found: Diagnosis, rows: pl.DataFrame, folder: Path, **subject: object) -> Path:
    rows.write_csv(folder / "said.csv")
    named = Subject(predictions=str(folder / "said.csv"), truth="y", **subject)  # type: ignore[arg-type]
    return freeze(found, folder / "test_findings.py", named)


def measured(data: Path) -> list[float]:
    told = Frozen.read(data)
    return [told.measured(each) for each in told.findings]


def test_a_group_of_like_texts_is_measured_by_its_rule_on_rows_of_a_later_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = news(0.5)
    found = diagnose(rows, truth="y", text="text", detectors=[MixtureDetector()])
    assert {each.code for each in found.findings} == {"AS102"}
    assert Diagnosis.from_json(found.to_json()).findings[0].rule == found.findings[0].rule
    data = frozen(found, rows, tmp_path, text="text")
    for wrong, least, most in ((0.95, 0.6, 1.0), (0.05, -0.1, 0.1)):
        news(wrong, seed=1).write_csv(tmp_path / "later.csv")
        monkeypatch.setenv("ASSAY_PREDICTIONS", str(tmp_path / "later.csv"))
        assert all(least < each < most for each in measured(data))


def test_a_group_that_is_told_by_embeddings_is_measured_by_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, n = np.random.default_rng(0), 900
    kind, truth = random.integers(4, size=n), random.choice(["a", "b"], n)
    texts = [f"{random.choice(['wheat', 'bank', 'goal'])} no{at}" for at in range(n)]
    meaning = dict(zip(texts, np.eye(4)[kind] + 0.2 * random.normal(size=(n, 4)), strict=True))
    scripted = {"scripted:model": ScriptedModel(embed=lambda text: meaning[text].tolist())}
    wrong = random.random(n) < np.where(kind == 2, 0.5, 0.05)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    rows = pl.DataFrame({"text": texts, "y": truth, "prediction": said})
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    found = diagnose(
        rows, truth="y", text="text", embed="scripted:model", models=scripted,
        detectors=[MixtureDetector()],
    )  # fmt: skip
    data = frozen(found, rows, tmp_path, text="text")
    with pytest.raises(InputError, match="other embeddings"):
        measured(data)
    kept = json.loads(data.read_text())
    kept["subject"]["embed"] = "scripted:model"
    data.write_text(json.dumps(kept))
    monkeypatch.setattr("assay.llm.roster.load", lambda name: scripted[name])
    assert all(each > 0.3 for each in measured(data))


def test_a_rule_that_an_identifier_is_part_of_is_not_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = lambda patterns: Redactor(patterns, names=False)  # noqa: E731
    monkeypatch.setattr("assay.diagnose.report.sharing._redactor", plain)
    found = diagnose(news(0.5), truth="y", text="text", detectors=[MixtureDetector()])
    rule = found.findings[0].rule
    assert rule is not None
    (named,) = [each for each in rule.words if each.startswith("tract")]  # type: ignore[union-attr]
    shared, _ = hidden(found, None, {"NAME": named})
    assert named not in shared.to_json()
    assert found.findings[0].title not in [e.title for e in freezable(found, shared).findings]


def test_a_slice_whose_probabilities_are_off_is_measured_by_its_conditions(tmp_path: Path) -> None:
    random, n = np.random.default_rng(0), 3000
    city, sure = random.choice(["here", "there"], n, p=[0.2, 0.8]), random.uniform(0.6, 0.95, n)
    right = random.random(n) < np.where(city == "here", sure - 0.3, sure)
    truth = random.choice(["a", "b"], n)
    said_a = (truth == "a") == right
    shares = np.where(said_a, sure, 1 - sure)
    rows = pl.DataFrame({
        "city": city, "y": truth, "probability:a": shares, "probability:b": 1 - shares,
    })  # fmt: skip
    found = diagnose(rows, truth="y", detectors=[SliceCalibrationDetector()])
    data = frozen(found, rows, tmp_path)
    assert told_again_otherwise(data) == pytest.approx([0.3] * len(found.findings), abs=0.1)


def test_a_protected_group_is_measured_where_too_few_rows_would_find_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lending()
    protected = ("city",)
    found = diagnose(rows, truth="y", detectors=[FairnessDetector()], protected=protected)
    assert {"AS801", "AS802", "AS803"} == {each.code for each in found.findings}
    data = frozen(found, rows, tmp_path, protected=protected)
    lending(100).write_csv(tmp_path / "later.csv")
    monkeypatch.setenv("ASSAY_PREDICTIONS", str(tmp_path / "later.csv"))
    assert all(each > 0.1 for each in measured(data))


def lending(n: int = 2000) -> pl.DataFrame:
    """Rows of which those of one city are refused more often than they should be."""
    random = np.random.default_rng(0)
    city, truth = random.choice(["here", "there"], n), random.choice(["no", "yes"], n)
    refused = (city == "here") & (random.random(n) < 0.5)
    return pl.DataFrame({
        "city": city, "x": random.normal(size=n), "y": truth,
        "prediction": np.where(refused, "no", truth),
    })  # fmt: skip


def told_again_otherwise(data: Path) -> list[float]:
    """Return the effects, with titles that no detector would find again."""
    kept = json.loads(data.read_text())
    for each in kept["findings"]:
        each["about"] = [each["about"][0] + ".0001"]
    data.write_text(json.dumps(kept))
    return measured(data)


def test_a_project_is_measured_with_its_protected_columns_and_its_annotators(
    tmp_path: Path,
) -> None:
    rows = lending(800).drop("prediction")
    spoiled = pl.when(pl.col("city") == "here").then(pl.lit("no")).otherwise("y").alias("y")
    table = rows.with_columns(spoiled, who=pl.Series(["ann", "bob"] * 400))
    project = Project.create(tmp_path / "p", table, target="y")
    file = tmp_path / "test_findings.json"
    subject = {"project": "p", "protected": ["city"], "annotator": "who"}
    file.write_text(json.dumps({"subject": subject, "findings": []}))
    case = Frozen.read(file).case
    assert (case.n, case.protected, case.annotator) == (project.search().height, ("city",), "who")


def test_an_interrupt_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: OutlierDetector, part: object) -> None:
        raise KeyboardInterrupt

    rows = lending(200)
    rows.write_csv(tmp_path / "said.csv")
    finding = {
        "code": "AS701", "title": "rows like no others", "detector": OutlierDetector().name,
        "measure": "loss", "known": 0.1, "gone": 0.0,
    }  # fmt: skip
    subject = {"predictions": "said.csv", "truth": "y"}
    (tmp_path / "old.json").write_text(json.dumps({"subject": subject, "findings": [finding]}))
    assert measured(tmp_path / "old.json") == [0.0], "files of before are read"
    monkeypatch.setattr(OutlierDetector, "detect", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "old.json")
