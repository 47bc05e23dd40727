from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.experiment import (
    ClassWeightSource,
    EstimatorSource,
    FeatureSource,
    RegularisationSource,
    ThresholdSource,
)
from assay.experiment.search.choosing import Choice
from assay.experiment.source import SearchSource
from assay.experiment.spec import candidates
from assay.improve.sources import ORDER, registered_sources
from assay.ledger import Ledger
from assay.llm import Gateway
from assay.recipe import (
    Decision,
    Embedding,
    Estimator,
    Observation,
    Proposal,
    ProposalSource,
    Recipe,
    Tools,
    baseline_recipe,
    fit_recipe,
    new_estimator,
)
from assay.task import Task
from newsroom import TASK, newsroom

BASELINE = baseline_recipe(TASK)
REGRESSION = Task(
    kind="regression", modality="tabular", target="price", features=("size",), metric="mae"
)


@pytest.fixture
def seen(tmp_path: Path) -> Observation:
    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    return Observation(
        task=TASK,
        recipe=BASELINE,
        search=newsroom(60),
        pool=newsroom(0).drop("topic"),
        gateway=Gateway(ledger),
        ledger=ledger,
        seed=0,
    )


def proposals(source: ProposalSource, observation: Observation) -> dict[str, Proposal]:
    return {each.name: each for each in source.propose(observation)}


def edited(source: ProposalSource, observation: Observation) -> list[Recipe]:
    return [each.apply(BASELINE) for each in source.propose(observation)]


def test_embeddings_stand_beside_the_words_and_in_their_place(seen: Observation) -> None:
    beside, instead = edited(FeatureSource(), seen)
    assert beside.features == (*BASELINE.features, Embedding(column="text"))
    assert instead.features == (Embedding(column="text"),)
    again = next(iter(FeatureSource().propose(seen))).apply(beside)
    assert again == beside, "an edit that is made already changes nothing"


def test_class_weights_go_where_the_estimator_takes_them(seen: Observation) -> None:
    (weighted,) = edited(ClassWeightSource(), seen)
    assert weighted.estimator.parameters["class_weight"] == "balanced"
    (proposal,) = ClassWeightSource().propose(seen)
    neighbours = BASELINE.with_estimator("sklearn.neighbors.KNeighborsClassifier")
    assert proposal.apply(neighbours) == neighbours


def two_classes(seen: Observation, metric: str, recipe: Recipe = BASELINE) -> Observation:
    changed = {"kind": "binary", "classes": TASK.classes[:2], "metric": metric}
    return replace(seen, task=TASK.model_copy(update=changed), recipe=recipe)


def test_a_threshold_is_proposed_where_it_can_pay(seen: Observation) -> None:
    assert edited(ThresholdSource(), seen) == [], "three classes"
    judged = two_classes(seen, "macro_f1")
    assert edited(ThresholdSource(), judged) == [BASELINE.with_decision(Decision(aim="macro_f1"))]
    for metric in ("accuracy", "log_loss", "cost_1_20"):
        assert edited(ThresholdSource(), two_classes(seen, metric)) == []
    weighted = BASELINE.with_parameters(class_weight="balanced")
    (proposal,) = ThresholdSource().propose(two_classes(seen, "accuracy", weighted))
    assert proposal.apply(weighted) == weighted.with_decision(Decision())


def test_a_threshold_leaves_recipes_that_state_one_or_give_no_probabilities(
    seen: Observation,
) -> None:
    (proposal,) = ThresholdSource().propose(two_classes(seen, "macro_f1"))
    stated = BASELINE.with_costs(false_alarm=1, miss=20)
    machine = BASELINE.with_estimator("sklearn.svm.LinearSVC")
    assert proposal.apply(stated) == stated
    assert proposal.apply(machine) == machine


def test_regularisation_speaks_each_estimators_language(seen: Observation) -> None:
    strengths = [each.estimator.parameters["C"] for each in edited(RegularisationSource(), seen)]
    assert strengths == [10.0, 100.0, 0.1]
    ridge = Recipe(
        features=BASELINE.features, estimator=Estimator(path="sklearn.linear_model.Ridge")
    )
    alphas = [
        each.apply(ridge).estimator.parameters["alpha"]
        for each in RegularisationSource().propose(seen)
    ]
    assert alphas == pytest.approx([0.1, 0.01, 10.0])


@pytest.mark.parametrize(
    "task",
    [TASK, TASK.model_copy(update={"metric": "log_loss"}), REGRESSION],
    ids=["labels", "probabilities", "regression"],
)
def test_every_candidate_estimator_can_be_made(task: Task) -> None:
    for path, parameters, rationale in candidates(task):
        new_estimator(Estimator(path=path, parameters=dict(parameters)), seed=0)
        assert rationale


def test_every_estimator_of_the_short_list_fits_text(seen: Observation) -> None:
    def no_tools(*_: object) -> None:
        raise AssertionError

    tools = Tools(read_table=no_tools, embed=no_tools)  # type: ignore[arg-type]
    for recipe in edited(EstimatorSource(), seen):
        model = fit_recipe(recipe, seen.search, TASK, tools=tools, seed=0)
        assert (model.predict(seen.search) == seen.search["topic"].to_numpy()).mean() > 0.8


def test_a_search_is_made_once_and_anew_for_other_rows_or_families(
    seen: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, tuple[str, ...]]] = []

    def search(source: SearchSource, observation: Observation) -> list[Choice]:
        made.append((observation.search.height, source.families))
        return []

    monkeypatch.setattr(SearchSource, "_search", search)
    words, letters = SearchSource(families=("words",)), SearchSource(families=("letters",))
    fewer = replace(seen, search=seen.search.head(50))
    for source, observation in ((words, seen), (words, seen), (letters, seen), (words, fewer)):
        assert list(source.propose(observation)) == []
    assert made == [(60, ("words",)), (60, ("letters",)), (50, ("words",))]


def test_the_built_in_sources_are_registered_in_order() -> None:
    assert tuple(each.name for each in registered_sources()) == ORDER


def test_names_of_proposals_are_stable_and_distinct(seen: Observation) -> None:
    names = [
        name
        for source in (FeatureSource(), ClassWeightSource(), RegularisationSource())
        for name in proposals(source, seen)
    ]
    assert len(names) == len(set(names)) == 6
