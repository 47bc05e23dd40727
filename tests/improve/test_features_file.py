"""A confirmed run writes the functions that it kept where a person may read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assay.improve.finish import _write_features
from assay.recipe import Derived
from made_up_result import BASELINE, attempt, made_up_result


def test_kept_functions_are_written_with_their_evidence(tmp_path: Path) -> None:
    code = 'def feature(rows, seen):\n    """What it is."""\n    return rows["x"]\n'
    kept = Derived(name="shape", columns=("x",), code=code)
    judged = attempt(1, "kept", 0.05, "shape")
    result = replace(
        made_up_result(),
        recipe=BASELINE.with_features(*BASELINE.features, kept),
        attempts=(judged, attempt(2, "dropped", -0.05, "size")),
    )
    _write_features(tmp_path, result)
    text = (tmp_path / "features.py").read_text()
    assert "def shape(rows, seen):" in text
    assert judged.verdict.reason in text
    assert judged.verdict_id in text


def test_a_recipe_without_functions_writes_nothing(tmp_path: Path) -> None:
    _write_features(tmp_path, made_up_result())
    assert list(tmp_path.iterdir()) == []
