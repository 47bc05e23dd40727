"""Findings that hold later models to them, run by a real pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.classes import ClassDetector
from assay.diagnose.detectors.shortcuts import ShortcutDetector
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.freezing import freeze
from assay.diagnose.frozen import Frozen, Subject
from assay.diagnose.report import render_markdown
from assay.errors import InputError


def predicted(slice_wrong: float, seed: int = 0) -> pl.DataFrame:
    """Rows of which a tenth are wrong, those of an evil region as often as said."""
    random = np.random.default_rng(seed)
    region = random.choice(["north", 'a"; import os #<b>'], 1500, p=[0.8, 0.2])
    truth = random.choice(["yes", "no"], 1500)
    wrong = random.random(1500) < np.where(region == "north", 0.1, slice_wrong)
    said = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
    x = random.normal(size=1500)
    return pl.DataFrame({"region": region, "x": x, "y": truth, "prediction": said})


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    return subprocess.run(
        words, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip


def broken(data: Path) -> set[str]:
    """Return the codes of the findings that the model at hand is worse on."""
    frozen = Frozen.read(data)
    return {each.code for each in frozen.findings if frozen.measured(each) > each.limit}


@pytest.mark.slow
def test_later_models_are_held_to_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted(0.4).write_csv(tmp_path / "said.csv")
    test, data = tmp_path / "tests/test_findings.py", tmp_path / "tests/test_findings.json"
    words = ["diagnose", "--predictions", str(tmp_path / "said.csv"), "--truth", "y"]
    words += ["--freeze", str(test), "--markdown", str(tmp_path / "d.md")]
    subprocess.run([sys.executable, "-m", "assay", *words], check=True, timeout=120)
    assert "AS101" in (tmp_path / "d.md").read_text()
    assert "import os" not in test.read_text(), "data is never code"
    kept = json.loads(data.read_text())
    assert kept["subject"]["predictions"] == "../said.csv"
    assert "AS101" in [each["code"] for each in kept["findings"]]
    assert broken(data) == set()
    predicted(0.9, seed=1).write_csv(tmp_path / "worse.csv")
    worse = run(tmp_path, ASSAY_PREDICTIONS=str(tmp_path / "worse.csv"))
    assert worse.returncode == 1
    assert "it got worse" in worse.stdout
    for each in kept["findings"]:
        each["mended"] = True
    data.write_text(json.dumps(kept))
    assert "AS101" in broken(data), "it is still there"
    predicted(0.1, seed=2).write_csv(tmp_path / "mended.csv")
    monkeypatch.setenv("ASSAY_PREDICTIONS", str(tmp_path / "mended.csv"))
    assert broken(data) == set()


def guessed(rare_wrong: float, taken_for: str, seed: int = 0) -> pl.DataFrame:
    """Rows of three classes of which the rare one is missed as often as said."""
    random = np.random.default_rng(seed)
    truth = random.choice(["a", "b", "rare"], 2000, p=[0.45, 0.45, 0.1])
    hit = random.random(2000) < np.where(truth == "rare", rare_wrong, 0.1)
    other = np.where(truth == "a", "b", "a")
    said = np.where(hit, np.where(truth == "rare", taken_for, other), truth)
    return pl.DataFrame({"x": random.normal(size=2000), "y": truth, "prediction": said})


def test_a_class_that_got_worse_fails_whatever_it_is_taken_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detectors = [ClassDetector(), ShortcutDetector()]
    rows = guessed(0.4, "a")
    rows.write_csv(tmp_path / "said.csv")
    found = diagnose(rows, truth="y", detectors=detectors)
    (first,) = [each for each in found.findings if each.code == "AS103"]
    assert (first.title, first.about) == ("class 'rare', most often taken for 'a'", ("rare",))
    subject = Subject(predictions=str(tmp_path / "said.csv"), truth="y")
    data = freeze(found, tmp_path / "test_findings.py", subject)
    assert broken(data) == set()
    guessed(0.9, "b", seed=1).write_csv(tmp_path / "worse.csv")
    monkeypatch.setenv("ASSAY_PREDICTIONS", str(tmp_path / "worse.csv"))
    assert broken(data) == {"AS103"}
    kept = json.loads(data.read_text())
    for each in kept["findings"]:
        del each["about"]  # as files were written before
    data.write_text(json.dumps(kept))
    assert Frozen.read(data).findings[0].key == ("AS103", first.title)
    kept["findings"][0]["detector"] = "gone"
    data.write_text(json.dumps(kept))
    with pytest.raises(InputError, match="gone"):
        broken(data)


def test_what_a_value_is_taken_for_is_measured_again_without_a_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaning(share: float, seed: int) -> pl.DataFrame:
        random = np.random.default_rng(seed)
        source = random.choice(["web", "shop"], 1500)
        truth = random.choice(["a", "b"], 1500)
        leans = (source == "web") & (random.random(1500) < share)
        said = np.where(leans, "a", truth)
        return pl.DataFrame({"source": source, "y": truth, "prediction": said})

    leaning(0.4, 0).write_csv(tmp_path / "said.csv")
    found = diagnose(leaning(0.4, 0), truth="y", detectors=[ShortcutDetector()])
    assert [each.title for each in found.findings] == ["source = web is taken for 'a'"]
    subject = Subject(predictions=str(tmp_path / "said.csv"), truth="y")
    data = freeze(found, tmp_path / "test_findings.py", subject)
    assert broken(data) == set()
    leaning(0.9, 1).write_csv(tmp_path / "worse.csv")
    monkeypatch.setenv("ASSAY_PREDICTIONS", str(tmp_path / "worse.csv"))
    assert broken(data) == {"AS602"}


def test_what_cannot_be_frozen_is_refused(tmp_path: Path) -> None:
    rows = predicted(0.4)
    found = diagnose(rows, truth="y")
    with pytest.raises(InputError, match=r"test_findings\.py"):
        freeze(found, tmp_path / "findings.txt", Subject())
    clean = diagnose(rows.with_columns(prediction="y"), truth="y")
    with pytest.raises(InputError, match="nothing to freeze"):
        freeze(clean, tmp_path / "test_a.py", Subject())
    assert not list(tmp_path.iterdir())
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(InputError, match="no frozen findings"):
        Frozen.read(tmp_path / "other.json")


def test_freezing_again_keeps_what_is_mended_and_what_is_gone(tmp_path: Path) -> None:
    subject = Subject(predictions=str(tmp_path / "said.csv"), truth="y")
    path, detectors = tmp_path / "test_findings.py", [ClassDetector()]
    found = diagnose(guessed(0.4, "a"), truth="y", detectors=detectors)
    data = freeze(found, path, subject)
    kept = json.loads(data.read_text())
    gone = kept["findings"][0] | {"about": ["gone"]}
    kept["findings"] = [kept["findings"][0] | {"mended": True}, gone]
    data.write_text(json.dumps(kept))
    worse = diagnose(guessed(0.9, "b"), truth="y", detectors=detectors)
    assert freeze(worse, path, subject) == data
    assert json.loads(data.read_text())["findings"] == kept["findings"]
    kept["findings"][0]["mended"] = False
    data.write_text(json.dumps(kept))
    freeze(worse, path, subject)
    first, second = Frozen.read(data).findings
    assert first.known == worse.findings[0].effect.interval.high
    assert second.about == ("gone",)
    with pytest.raises(InputError, match="something else"):
        freeze(worse, path, Subject(truth="z"))


def test_the_kind_that_was_named_is_kept(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    truth, far = random.integers(1, 6, 400), random.random(400) < 0.3
    said = np.where(far, 9, truth + random.integers(0, 2, 400))
    side = np.where(far, "far", "near")
    file = tmp_path / "said.csv"
    pl.DataFrame({"side": side, "y": truth, "prediction": said}).write_csv(file)
    found = diagnose(pl.read_csv(file), truth="y", kind="regression", detectors=[SliceDetector()])
    subject = Subject(predictions=str(file), truth="y", kind="regression")
    frozen = Frozen.read(freeze(found, tmp_path / "test_findings.py", subject))
    assert frozen.case.task.kind == "regression"
    assert frozen.measured(frozen.findings[0]) > 0


def test_tests_of_others_are_never_written_over(tmp_path: Path) -> None:
    found = diagnose(guessed(0.4, "a"), truth="y", detectors=[ClassDetector()])
    mine = tmp_path / "test_mine.py"
    mine.write_text("def test_mine(): ...\n")
    with pytest.raises(InputError, match="other tests"):
        freeze(found, mine, Subject())
    assert mine.read_text() == "def test_mine(): ...\n"
    (tmp_path / "test_own.json").write_text("{}")
    with pytest.raises(InputError, match="no frozen findings"):
        freeze(found, tmp_path / "test_own.py", Subject())
    assert not (tmp_path / "test_own.py").exists()


def test_a_model_beside_the_tests_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = guessed(0.4, "a")
    (tmp_path / "answers.json").write_text(json.dumps(said.select("x", "prediction").rows()))
    (tmp_path / "own_model.py").write_text(
        "import json, pathlib\n"
        "TOLD = dict(json.loads(pathlib.Path(__file__).with_name('answers.json').read_text()))\n"
        "def model(rows): return [TOLD[each] for each in rows['x']]\n"
    )
    said.drop("prediction").write_csv(tmp_path / "rows.csv")
    found = diagnose(said, truth="y", detectors=[ClassDetector()])
    subject = Subject(
        rows=str(tmp_path / "rows.csv"), model="own_model:model", imports=str(tmp_path), truth="y"
    )
    data = freeze(found, tmp_path / "tests/test_findings.py", subject)
    assert json.loads(data.read_text())["subject"]["imports"] == ".."
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(data.parent)
    assert broken(data) == set()
    assert all(Frozen.read(data).measured(each) > 0 for each in Frozen.read(data).findings)


def test_names_are_never_markup_in_markdown() -> None:
    told = render_markdown(diagnose(predicted(0.5), truth="y"), name="a|b")
    assert "# Diagnosis of a\\|b" in told
    assert "\\<b\\>" in told
    assert "<b>" not in told
    assert "| slices |" in told
    assert "Nothing was confirmed" in render_markdown(
        diagnose(predicted(0.4).with_columns(prediction="y"), truth="y"), name="all right"
    )
