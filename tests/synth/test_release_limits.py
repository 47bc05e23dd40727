from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assay import Project, synthesize
from assay.errors import InputError
from assay.evidence import Evidence, Interval
from assay.evidence.spec import Verdict
from assay.synth.gate import Gate, Judgement
from assay.synth.release import release
from assay.synth.report.story import measures
from assay.synth.result import Dose, SynthesisResult
from synth.tables_made_up import customers


def the_project(folder: Path, limits: str = "", rows: pl.DataFrame | None = None) -> Project:
    rows = customers(700, seed=3).drop("row_id") if rows is None else rows
    made = Project.create(folder, rows, target="class", kind="binary", metric="auc")
    if limits:
        made.ledger().close()
        settings = folder / "assay.toml"
        settings.write_text(settings.read_text() + f"\n[settings.synth]\n{limits}\n")
        made = Project.open(folder)
    return made


@pytest.mark.slow
def test_a_method_is_rehearsed_on_halves_and_a_limit_holds_the_rows_back(tmp_path: Path) -> None:
    project = the_project(tmp_path / "p", "risk = 0.9\nclose = 1.0")
    result = synthesize(
        project, for_class="rare", method="forest", doses=(1,), rows=60, confirm=False
    )
    assert result.rehearsed == "forest"
    assert result.privacy is not None
    assert [each.name for each in result.privacy.attacks][:2] == ["singling out", "linkability"]
    assert result.utility is not None
    assert result.utility.real.n > 200
    told = "\n".join(measures(result))
    assert "marginals alike" in told
    assert "forest on half of the rows" in told
    assert SynthesisResult.from_json(result.to_json()) == result
    card = release(result, project, tmp_path / "made.csv")
    assert "linkability" in card.read_text()
    project.ledger().close()

    settings = project.path / "assay.toml"
    settings.write_text(settings.read_text().replace("close = 1.0", "k = 2"))
    strict = Project.open(project.path)
    alone = replace(result, privacy=replace(result.privacy, k=1))
    with pytest.raises(InputError, match="k-anonymity"):
        release(alone, strict, tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()
    strict.ledger().close()


@pytest.mark.parametrize("kept", ["forest", None])
def test_what_is_released_was_made_by_the_method_that_was_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    gain = Evidence("gain", 0.1, Interval(0.05, 0.15), 100, "stated", p_value=0.001)
    verdict = Verdict("kept", "stated", (gain,))
    dose = None if kept is None else Dose(kept, float(kept == "forest"), "h", verdict, 0.001, "p")

    def judged(gate: Gate, *_: object) -> Judgement:
        doses = () if dose is None else (dose,)
        return Judgement(doses, dose, gate.project.recipe, None)

    monkeypatch.setattr(Gate, "judge", judged)
    small = customers(600, seed=3).select("income", "member", "class")
    project = the_project(tmp_path / "p", "risk = 1.0\nclose = 1.0", small)
    result = synthesize(project, for_class="rare", doses=(1,), rows=20, confirm=False)
    attacked = "forest" if kept == "forest" else "smote"
    assert result.taken == result.rehearsed == attacked
    card = release(result, project, tmp_path / "rows.csv").read_text()
    rows = pl.read_csv(tmp_path / "rows.csv")
    assert set(rows["made_by"]) == {attacked}
    assert "copula" not in card
    assert any(f"are the rows by {attacked} alone" in each for each in measures(result))
    project.ledger().close()
