from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from assay import Project, synthesize
from assay.errors import InputError
from assay.project.settings import Synth
from assay.synth.releasable import require_attackable
from assay.synth.release import release
from assay.synth.report.story import measures
from assay.synth.result import SynthesisResult
from newsroom import TASK as NEWS
from synth.stated_gate import keep
from synth.tables_made_up import customers

K = 'k = 1000\nquasi_identifiers = ["region"]'


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
    settings.write_text(settings.read_text().replace("close = 1.0", K))
    strict = Project.open(project.path)
    with pytest.raises(InputError, match=r"k-anonymity [0-9]+ of region"):
        release(result, strict, tmp_path / "again.csv")
    assert not (tmp_path / "again.csv").exists()
    strict.ledger().close()


@pytest.mark.parametrize("kept", ["forest", None])
def test_what_is_released_was_made_by_the_method_that_was_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str | None
) -> None:
    keep(monkeypatch, kept)
    small = customers(600, seed=3).select("income", "member", "class")
    project = the_project(tmp_path / "p", "risk = 1.0\nclose = 1.0", small)
    result = synthesize(project, for_class="rare", doses=(1,), rows=20, confirm=False)
    attacked = kept or "smote"
    assert result.taken == result.rehearsed == attacked
    card = release(result, project, tmp_path / "rows.csv").read_text()
    rows = pl.read_csv(tmp_path / "rows.csv")
    assert set(rows["made_by"]) == {attacked}
    assert "copula" not in card
    assert any(f"are the rows by {attacked} alone" in each for each in measures(result))
    project.ledger().close()


def few_rare() -> pl.DataFrame:
    rows = customers(400, seed=3).select("income", "member", "class")
    rare = rows.filter(pl.col("class") == "rare").head(40)
    return pl.concat([rare, rows.filter(pl.col("class") == "common")])


def test_rows_of_a_class_too_small_to_be_attacked_leave_only_where_the_user_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(monkeypatch, None)
    project = the_project(tmp_path / "p", "close = 1.0", few_rare())
    asked = {"for_class": "rare", "method": "copula", "doses": (1,), "confirm": False}
    with pytest.raises(
        InputError, match=r"no attack could tell .* 20 real rows in each .* risk = 1"
    ):
        synthesize(project, release=True, **asked)  # type: ignore[arg-type]
    assert not project.ledger().entries("run"), "it is told before any row is made"
    result = synthesize(project, **asked)  # type: ignore[arg-type]
    assert result.privacy is not None
    assert result.privacy.attacks == ()
    assert any(each.startswith("not attacked") for each in measures(result))
    with pytest.raises(InputError, match=r"no attack could tell .* risk = 1"):
        release(result, project, tmp_path / "rows.csv")
    assert not list(tmp_path.glob("rows*"))
    project.ledger().close()

    settings = project.path / "assay.toml"
    settings.write_text(settings.read_text().replace("close = 1.0", "close = 1.0\nrisk = 1.0"))
    knowing = Project.open(project.path)
    assert "not attacked" in release(result, knowing, tmp_path / "rows.csv").read_text()
    knowing.ledger().close()


def test_rows_by_a_language_model_leave_with_canaries_or_where_the_user_says_so() -> None:
    table = NEWS.model_copy(update={"modality": "tabular", "text": None, "features": ("a",)})
    require_attackable(Synth(), NEWS, "write", 60, canaries=20)
    require_attackable(Synth(risk=1), table, "write", 9, canaries=0)
    require_attackable(Synth(), NEWS, "edit", 9, canaries=0)
    for task, canaries, rows, told in (
        (NEWS, 0, 60, "say --canaries 20"),
        (NEWS, 20, 30, "20 real rows in each"),
        (table, 0, 60, "a method that asks no model"),
    ):
        with pytest.raises(InputError, match=told):
            require_attackable(Synth(), task, "write", rows, canaries)
    with pytest.raises(InputError, match="membership = 1"):
        require_attackable(Synth(membership=0.5), NEWS, "edit", 9, canaries=0)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ('quasi_identifiers = ["regoin"]', "none of the inputs. Given: regoin"),
        ("k = 1000", "no column is named. Given: k = 1000"),
    ],
)
def test_a_k_that_cannot_be_held_is_refused_before_any_row_is_made(
    tmp_path: Path, limits: str, told: str
) -> None:
    project = the_project(tmp_path / "p", limits, few_rare())
    with pytest.raises(InputError, match=told):
        synthesize(project, for_class="rare")
    assert not project.ledger().entries("run")
    project.ledger().close()


def test_k_holds_private_rows_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(monkeypatch, None)
    rows = customers(300, seed=3).select("age", "region", "class")
    project = the_project(tmp_path / "p", f"{K}\nranges = {{ age = [18, 90] }}", rows)
    result = synthesize(project, for_class="rare", method="private", rows=50, confirm=False)
    with pytest.raises(InputError, match=r"k-anonymity [0-9]+ of region"):
        release(result, project, tmp_path / "rows.csv")
    assert not list(tmp_path.glob("rows*"))
    project.ledger().close()
