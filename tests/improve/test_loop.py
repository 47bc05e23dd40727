"""The whole loop on a made-up newsroom, with proposals that help, harm, and do nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project
from assay.errors import InputError
from assay.improve import ImproveResult, improve
from assay.improve.events import Event, Planned, Screened
from assay.llm import Budget
from assay.recipe import Embedding, Observation, Proposal, Recipe
from newsroom import TASK, newsroom, topic_counts


class ScriptedEmbedder:
    """Embeds a text as the share of its words in each topic, or as noise."""

    def __init__(self, name: str, *, noise: bool) -> None:
        self.name = name
        self.noise = noise

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        if self.noise:
            seeds = [sum(map(ord, text)) for text in texts]
            return np.asarray([np.random.default_rng(s).normal(size=20) for s in seeds], "float32")
        return topic_counts(texts)


HELPFUL = ScriptedEmbedder("scripted:topics", noise=False)
USELESS = ScriptedEmbedder("scripted:noise", noise=True)
MODELS = {each.name: each for each in (HELPFUL, USELESS)}
Edit = Callable[[Recipe], Recipe]


class Source:
    """Offers fixed edits."""

    def __init__(self, **edits: Callable[[Observation], Edit]) -> None:
        self.name = "fixed"
        self.edits = edits
        self.seen: list[Observation] = []

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        self.seen.append(observation)
        for name, edit in self.edits.items():
            yield Proposal(name, f"because of {name}", "rule:test", edit(observation))


def embedding(model: str) -> Callable[[Observation], Edit]:
    return lambda seen: (
        lambda recipe: recipe.with_features(*recipe.features, Embedding(column="text", model=model))
    )


def rows_edit(field: str, table: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[..., Edit]:
    def make(seen: Observation) -> Edit:
        artefact = seen.ledger.put_table(table(seen.search), name=f"{field}.parquet")
        return lambda recipe: recipe.model_copy(
            update={"rows": recipe.rows.model_copy(update={field: (artefact,)})}
        )

    return make


shuffled_labels = rows_edit(
    "relabelled", lambda rows: rows.select("row_id", pl.col("topic").shuffle(seed=0))
)
duplicates = rows_edit("extra", lambda rows: rows.select("text", "topic").head(100))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    table = newsroom(480, seed=7, forms=50).drop("row_id")
    return Project.create(tmp_path / "news", table, task=TASK, seed=3)


def run(project: Project, *sources: Source, **options: object) -> ImproveResult:
    return improve(project, sources=sources, models=MODELS, **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_helps_is_kept_and_confirmed_and_what_harms_is_dropped(project: Project) -> None:
    source = Source(
        shuffled=shuffled_labels,
        noise=embedding(USELESS.name),
        topics=embedding(HELPFUL.name),
        duplicates=duplicates,
    )
    baseline = project.recipe
    result = run(project, source)
    seeds = [each.body["seed"] for each in project.ledger().entries("trial")]
    assert len(set(seeds)) == len(seeds) == 4  # fresh folds for every proposal
    decisions = {each.name: each.verdict.decision for each in result.attempts}
    assert decisions["topics"] == "kept"
    assert decisions["shuffled"] == "dropped"
    assert decisions["noise"] != "kept"
    assert decisions["duplicates"] != "kept"
    assert result.improved
    assert result.confirmed is not None
    assert result.confirmed.looks_left == 0
    assert result.confirmed.verdict.main.n == result.rows.vault == 120
    assert Project.open(project.path).recipe == result.recipe != baseline


@pytest.mark.slow
def test_every_figure_of_the_result_is_in_the_ledger(project: Project) -> None:
    result = run(project, Source(topics=embedding(HELPFUL.name)))
    ledger = project.ledger()
    attempt = result.attempts[0]
    assert result.confirmed is not None
    for id_ in (attempt.proposal_id, attempt.trial_id, attempt.verdict_id, result.confirmed.id):
        ledger.get(id_)
    facts = [
        *attempt.verdict.evidence,
        *result.confirmed.verdict.evidence,
        result.confirmed.before,
        result.screened_after,
        *(each.after for each in result.learning_curve),
    ]
    for fact in facts:
        assert fact.id is not None
        assert ledger.get(fact.id).body["estimate"] == fact.estimate
    assert result.confusion_after is not None
    counts = np.array(result.confusion_after.counts)
    assert np.trace(counts) / counts.sum() == pytest.approx(result.screened_after.estimate)
    kept = ledger.find("event", f"result:{result.run}")
    assert kept is not None
    assert ImproveResult.from_json(ledger.read_artefact(kept.body["artefact"])) == result


@pytest.mark.slow
def test_nothing_kept_spends_no_look_and_changes_no_recipe(project: Project) -> None:
    baseline = project.recipe
    result = run(project, Source(noise=embedding(USELESS.name)))
    assert result.confirmed is None
    assert project.vault().looks_left == 1
    assert project.recipe == baseline == result.recipe


@pytest.mark.slow
def test_a_second_run_has_no_look_left_and_says_so(project: Project) -> None:
    run(project, Source(topics=embedding(HELPFUL.name)))
    project = Project.open(project.path)
    confirmed = project.recipe

    class Other(Source):
        pass

    weaker = Other(
        fewer_words=lambda seen: lambda recipe: recipe.with_features(recipe.features[-1])
    )
    result = run(project, weaker)
    assert result.confirmed is None
    if result.kept:
        assert any("look" in each.reason for each in result.skipped)
    assert project.recipe == confirmed


@pytest.mark.slow
def test_a_stopped_run_continues_and_screens_nothing_twice(project: Project) -> None:
    edits = {"noise": embedding(USELESS.name), "topics": embedding(HELPFUL.name)}
    told: list[Event] = []

    def stop_after_the_first_verdict(event: Event) -> None:
        told.append(event)
        if isinstance(event, Screened):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(project, Source(**edits), on_event=stop_after_the_first_verdict)
    planned = told[0]
    assert isinstance(planned, Planned)
    assert (planned.plan.search_rows, planned.plan.vault_rows) == (360, 120)
    assert not planned.plan.measured
    result = run(Project.open(project.path), Source(**edits))
    trials = project.ledger().entries("trial")
    assert len(trials) == len({each.id for each in trials}) == 2
    assert len(project.ledger().entries("run")) == 1
    assert [each.name for each in result.attempts] == ["noise", "topics"]
    assert result.improved
    assert result.plan == planned.plan
    later = Project.open(project.path).plan()
    assert later.measured
    spread = result.attempts[-1].verdict.main.details["se"] * np.sqrt(360)
    assert later.spread == pytest.approx(spread)


@pytest.mark.slow
def test_results_repeat(tmp_path: Path) -> None:
    gains = []
    for name in ("one", "two"):
        table = newsroom(400, seed=7, forms=50).drop("row_id")
        project = Project.create(tmp_path / name, table, task=TASK, seed=3)
        result = run(project, Source(topics=embedding(HELPFUL.name)))
        assert result.confirmed is not None
        gains.append((result.attempts[0].verdict.main.estimate, result.confirmed.after.estimate))
    assert gains[0] == gains[1]


@pytest.mark.slow
def test_a_source_or_proposal_that_fails_is_passed_over_with_its_reason(project: Project) -> None:
    class Broken(Source):
        def propose(self, observation: Observation) -> Iterator[Proposal]:
            raise InputError("The scripted source is out of ideas.")

    wrong = Source(typo=lambda seen: lambda recipe: recipe.with_estimator("sklearn.svm.LinearSvm"))
    result = run(project, Broken(), wrong)
    reasons = {each.name: each.reason for each in result.skipped}
    assert "out of ideas" in reasons["fixed"]
    assert "LinearSvm" in reasons["typo"]
    assert result.attempts == ()


@pytest.mark.slow
def test_what_a_second_source_proposes_again_is_tried_once(project: Project) -> None:
    sources = (Source(first=duplicates), Source(again=duplicates))
    result = run(project, *sources)
    assert [each.name for each in result.attempts] == ["first"]
    assert result.skipped == ()


def test_the_budget_of_minutes_ends_the_screening(project: Project) -> None:
    source = Source(topics=embedding(HELPFUL.name))
    result = run(project, source, budget=Budget(minutes=1e-9))
    assert result.attempts == ()
    assert result.stopped is not None
    assert "minutes" in result.stopped


@pytest.mark.slow
def test_near_copies_of_locked_rows_are_told(tmp_path: Path) -> None:
    rows = newsroom(400, seed=7, words=30).drop("row_id")
    reworded = rows.head(200).with_columns(text=pl.col("text") + " indeed")
    project = Project.create(tmp_path / "copied", pl.concat([rows, reworded]), task=TASK)
    result = run(project)
    assert any("near copies of locked rows" in each for each in result.warnings)


@pytest.mark.slow
def test_the_strict_mode_keeps_less_than_the_screen(project: Project) -> None:
    pytest.importorskip("online_fdr")
    path = project.path / "assay.toml"
    weak = Source(looser=lambda seen: lambda recipe: recipe.with_parameters(C=1.5))
    kept = {}
    for mode in ("strict", "explore"):
        text = path.read_text()
        path.write_text(re.sub(r'mode = "\w+"', f'mode = "{mode}"', text))
        result = run(Project.open(project.path), weak)
        kept[mode] = [each.verdict.decision == "kept" for each in result.attempts]
    assert kept["strict"] == [False]
    assert len(kept["explore"]) == 1
