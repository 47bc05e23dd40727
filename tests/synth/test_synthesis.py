from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from assay import Project, SynthesisResult, synthesize
from assay.errors import InputError
from assay.llm import Gateway, ScriptedModel
from assay.recipe import Observation, baseline_recipe
from assay.synth.capabilities import capability_tests
from assay.synth.record import recorded_synthesis
from assay.synth.release import release
from assay.synth.report import headline, render_html
from assay.synth.report.story import made
from assay.synth.source import SynthesisSource
from newsroom import TASK, newsroom


def rare_farm(rows: int, farm: int) -> pl.DataFrame:
    table = newsroom(rows, seed=1, words=14)
    of_farm = pl.col("topic") == "farm"
    return pl.concat([table.filter(of_farm).head(farm), table.filter(~of_farm)]).drop("row_id")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project.create(tmp_path / "p", rare_farm(330, 30), target="topic", metric="macro_f1")
    yield made
    made.ledger().close()


def test_every_dose_is_judged_on_real_rows_and_the_result_returns_from_json(
    project: Project,
) -> None:
    before = project.recipe
    result = synthesize(project, for_class="farm", doses=(1,), confirm=False)
    assert [each.name for each in result.doses] == [
        "edit x1", "recombine x1", "class weights", "threshold moved",
    ]  # fmt: skip
    assert result.doses[0].verdict.main.n == project.search().height
    assert project.vault().looks_left == 1
    assert project.recipe == before, "what the vault has not confirmed changes nothing"
    assert (result.chosen is None) == (result.advice is not None)
    assert SynthesisResult.from_json(result.to_json()) == result
    assert recorded_synthesis(project.ledger()) == result
    unmade = replace(result, chosen=result.doses[2])
    assert headline(unmade) == (
        "'farm' needs no made rows: class weights does more, by the screen alone."
    )


@pytest.mark.slow
def test_rows_that_no_model_could_use_are_not_kept_and_real_ones_are_advised(
    project: Project,
) -> None:
    numbers = iter(range(1000))
    scripted = ScriptedModel(generate=lambda _: {"c0": f"zzq q{next(numbers)} xvw"})
    result = synthesize(
        project,
        for_class="farm",
        rows=40,
        method="write",
        model="scripted:model",
        models={"scripted:model": scripted},
        doses=(0.5, 1),
    )
    assert result.chosen is None
    assert result.confirmed is None
    assert project.vault().looks_left == 1, "nothing kept takes no look"
    assert result.advice is not None
    assert "eal rows of 'farm'" in result.advice.words
    batch = result.batches[0]
    assert batch.filled is not None
    assert batch.filled == pytest.approx(batch.kept / 40), "no cell is kept beyond its plan"
    assert f"they fill {batch.filled:.0%} of the plan" in made(batch)
    dropped = sum(each.before - each.after for each in result.batches[0].filters)
    assert dropped == sum(sum(each.why.values()) for each in result.batches[0].filters)
    assert dropped > 0


def test_prompts_hold_search_rows_alone(project: Project) -> None:
    scripted = ScriptedModel(generate=lambda prompt: {"c0": "wheat"})
    synthesize(
        project,
        for_class="farm",
        rows=8,
        method="write",
        model="scripted:model",
        models={"scripted:model": scripted},
        doses=(4,),
    )
    told = "\n".join(each.text + each.instructions for each in scripted.asked)
    searched = set(project.search()["text"])
    locked = set(rare_farm(330, 30)["text"]) - searched
    assert locked
    assert not any(text in told for text in locked)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"for_class": "opera"}, "none of the classes"),
        ({"doses": ()}, "doses must be"),
        ({"doses": (-1,)}, "doses must be"),
        ({"rows": 0}, "rows must be positive"),
        ({"rows": 1_000_000}, "more than 20,000"),
        ({"method": "smote"}, "does not suit"),
    ],
)
def test_what_cannot_be_made_is_refused_in_words(
    project: Project, change: dict[str, object], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        synthesize(project, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("farm", [0, 1, 30])
def test_a_class_with_none_one_or_identical_rows_is_refused(tmp_path: Path, farm: int) -> None:
    from assay.synth.scarcity import require_enough

    rows = newsroom(200, seed=1)
    of_farm = pl.col("topic") == "farm"
    own = rows.filter(of_farm).head(farm).with_columns(text=pl.lit("wheat and corn"))
    rows = pl.concat([own, rows.filter(~of_farm)])
    with pytest.raises(InputError, match="all the same" if farm > 1 else "too few"):
        require_enough(rows, TASK, "farm")


def test_released_rows_tell_where_they_come_from(project: Project, tmp_path: Path) -> None:
    result = synthesize(project, for_class="farm", rows=20, doses=(1,), confirm=False)
    for name in ("rows.parquet", "rows.csv", "rows.parquet"):
        card = release(result, project, tmp_path / name)
        assert card.read_text().startswith("---\ntags:\n- synthetic")
    rows = pl.read_parquet(tmp_path / "rows.parquet")
    assert set(rows["assay_run"]) == {result.run}
    assert set(rows["made_from"]) <= set(project.search()["row_id"])
    release(result, project, tmp_path / "folder")
    import datasets

    loaded = datasets.load_dataset(
        str(tmp_path / "folder"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.num_rows == rows.height
    assert "<script" not in render_html(result)


def test_copies_of_real_rows_are_not_released(project: Project, tmp_path: Path) -> None:
    result = synthesize(
        project, for_class="farm", rows=10, method="oversample", doses=(1,), confirm=False
    )
    with pytest.raises(InputError, match="limit on copies"):
        release(result, project, tmp_path / "rows.csv")
    assert not list(tmp_path.glob("rows*"))


def test_test_cases_are_marked_and_refused_for_training(tmp_path: Path) -> None:
    rows = newsroom(60).with_columns(text="Then, Maria said: " + pl.col("text") + " was 12 days")
    cases = capability_tests(rows, TASK, count=5, seed=0)
    counts = dict(cases["capability"].value_counts().rows())
    assert counts == dict.fromkeys(("typos", "numbers", "names", "negation", "out_of_scope"), 5)
    assert cases.filter(pl.col("capability") == "out_of_scope")["topic"].null_count() == 5
    assert not set(cases["text"]) & set(rows["text"])
    with pytest.raises(InputError, match="made to test a model"):
        Project.create(tmp_path / "p", cases, target="topic")


def test_the_source_proposes_doses_of_rare_classes_alone(project: Project) -> None:
    with Gateway(project.ledger()) as gateway:
        seen = Observation(
            task=project.task,
            recipe=baseline_recipe(project.task),
            search=project.search(),
            pool=project.pool(),
            gateway=gateway,
            ledger=project.ledger(),
            seed=0,
        )
        found = list(SynthesisSource().propose(seen))
    assert [each.name for each in found] == [
        "made rows of farm: edit x1",
        "made rows of farm: edit x4",
        "made rows of farm: recombine x1",
        "made rows of farm: recombine x4",
    ]
    first, second = (each.apply(seen.recipe) for each in found[:2])
    assert found[1].apply(first) == second, "a dose takes the place of another"
