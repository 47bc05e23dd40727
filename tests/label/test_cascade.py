"""Cascades of scripted models whose quality is known row by row."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scripted_kind import TASK, ScriptedFitted, ScriptedKind, said, scripted, texts_of

import assay.label.run as running
from assay.errors import InputError
from assay.label.building import Goal, _Building, _Work, fit_cascade
from assay.label.cascade import Cascade, _merged
from assay.label.multi import accept_by_class
from assay.label.policy import acceptance_of, under_policy
from assay.label.result import LabelResult
from assay.label.review.opening import batches_of
from assay.label.review.record import Decision, record_import
from assay.label.review.summary import CASCADED, summarise
from assay.label.rows import Rows
from assay.label.run import run_labelling
from assay.label.single.scores import softmax
from assay.label.single.weighing import temperature
from assay.label.spec import Answers, Checked, Gold, LabelSettings, Stage
from assay.label.store import load, recall
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel, Spend
from assay.llm.model import Price

CHEAP, STRONG = "scripted:cheap", "scripted:strong"
SETTINGS = LabelSettings(models=(CHEAP, STRONG), fit_rows=300)
PRICES = {CHEAP: Price(1_000_000, 0), STRONG: Price(20_000_000, 0)}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def models() -> dict[str, Any]:
    return {CHEAP: scripted("cheap"), STRONG: scripted("strong")}


@pytest.fixture
def gateway(ledger: Ledger, models: dict[str, Any]) -> Iterator[Gateway]:
    run = ledger.start_run("label", {})
    with Gateway(ledger, run=run, models=models, prices=PRICES) as made:
        yield made


def gold_of(texts: list[str]) -> Gold:
    rows = pl.DataFrame({"row_id": [f"g{n}" for n in range(len(texts))], "text": texts})
    return Gold(rows, texts, ["yes"] * len(texts))


def cascade(gateway: Gateway, *, gold: int = 200, precision: float | None = 0.9,
            seed: int = 1, **changes: Any) -> tuple[Cascade, list[Stage]]:  # fmt: skip
    told: list[Stage] = []
    goal = Goal(precision, 0.9, 1000, told.append)
    settings = SETTINGS.model_copy(update=changes)
    checked = gold_of(texts_of(gold, seed)) if gold else None
    made = fit_cascade(
        texts_of(300, seed + 5000), checked, TASK, ScriptedKind(), gateway, settings, goal
    )
    return made, told


def test_only_open_rows_go_up_and_the_cost_is_told_before(
    gateway: Gateway, models: dict[str, Any]
) -> None:
    made, told = cascade(gateway)
    assert [each.used for each in made.stages] == [True, True]
    share = told[0].share
    assert share is not None
    assert 0.1 < share < 0.9
    rows = texts_of(1000, 77)
    asked = len(models[STRONG].asked)
    found = made.answer(rows, gateway)
    cheap = np.array([said(text, "cheap")[0] for text in rows])
    assert len(models[STRONG].asked) - asked == (cheap <= made.threshold).sum()
    sure = found.probability > made.threshold
    assert (
        np.mean([label == "yes" for label, ok in zip(found.labels, sure, strict=True) if ok]) > 0.88
    )
    assert sure.mean() > (cheap > made.threshold).mean()
    assert "answered by scripted:strong" in found.flags.values()


def test_rows_in_portions_get_the_same_answers(gateway: Gateway) -> None:
    made, _ = cascade(gateway)
    made = pickle.loads(pickle.dumps(made))  # noqa: S301 - as the engines send it
    rows = texts_of(100, 78)
    whole = made.answer(rows, gateway)
    parts = [made.answer(rows[start : start + 9], gateway) for start in range(0, 100, 9)]
    assert whole.labels == [label for part in parts for label in part.labels]
    np.testing.assert_array_equal(
        whole.probability, np.concatenate([part.probability for part in parts])
    )


@pytest.mark.slow
def test_what_is_accepted_holds_the_precision_over_draws_of_gold(
    ledger: Ledger, models: dict[str, Any]
) -> None:
    world = texts_of(4000, 99)
    right = {
        name: np.array([said(text, name)[1] for text in world]) for name in ("cheap", "strong")
    }
    sure = {name: np.array([said(text, name)[0] for text in world]) for name in ("cheap", "strong")}
    failed = certified = 0
    draws = 60
    with Gateway(ledger, models=models, prices=PRICES) as gateway:
        for seed in range(draws):
            made, _ = cascade(gateway, gold=150, seed=seed)
            if len(made.models) < 2:
                continue
            certified += 1
            first = sure["cheap"] > made.threshold
            second = ~first & (sure["strong"] > made.threshold)
            accepted = np.concatenate([right["cheap"][first], right["strong"][second]])
            failed += accepted.mean() < 0.9
    assert certified > draws / 2
    assert failed / draws <= 0.1 + 2 * 0.039  # nominal, and two standard errors of 60 draws


def test_a_stage_that_would_not_pay_is_skipped_with_the_reason(gateway: Gateway) -> None:
    for changes, options, part in (
        ({}, {"precision": None}, "no precision"),
        ({}, {"gold": 0}, "without checked rows"),
        ({}, {"gold": 15, "precision": 0.93}, "no threshold holds"),
        ({}, {"precision": 0.5}, "leave no row open"),
    ):
        made, _ = cascade(gateway, **options, **changes)
        assert [each.used for each in made.stages] == [True, False]
        assert part in made.stages[1].why
        assert len(made.fitted) == 1


def priced(ledger: Ledger, models: dict[str, Any], **prices: int) -> Gateway:
    per_million = {f"scripted:{name}": Price(each * 1_000_000, 0) for name, each in prices.items()}
    return Gateway(ledger, models=models, prices=per_million)


def test_the_cheapest_model_is_asked_first_however_they_are_named(gateway: Gateway) -> None:
    named, _ = cascade(gateway, models=(CHEAP, STRONG))
    turned, _ = cascade(gateway, models=(STRONG, CHEAP))
    assert named.models == turned.models == (CHEAP, STRONG)
    assert named.threshold == turned.threshold


def test_without_a_price_the_models_are_asked_as_named(
    ledger: Ledger, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.llm.roster.is_priced", lambda name, own: name in own)
    for prices, first in ((PRICES, CHEAP), ({STRONG: PRICES[STRONG]}, STRONG)):
        with Gateway(ledger, models=models, prices=prices) as gateway:
            made, _ = cascade(gateway, models=(STRONG, CHEAP))
        assert made.models[0] == first


def test_a_model_that_costs_more_than_it_saves_is_not_asked(
    ledger: Ledger, models: dict[str, Any]
) -> None:
    """Two prices of the cheap model decide whether it pays to ask it before the strong one."""
    for price, expected in ((1, (CHEAP, STRONG)), (19, (STRONG,))):
        with priced(ledger, models, cheap=price, strong=20) as gateway:
            made, _ = cascade(gateway)
            assert made.models == expected
            found = made.answer(texts_of(50, 77), gateway)
            assert len(found.labels) == 50
    left = made.stages[1]
    assert (left.model, left.used, left.judged) == (CHEAP, False, False)
    assert left.why == "tried, and left out: without it 100% of the rows can be accepted"
    assert made.stages[0].why.startswith("asked first: it can accept 100% of the rows, not ")
    assert made.checked is made.fitted[0].checked


def test_of_two_models_that_help_each_other_the_one_that_accepts_more_a_dollar_is_first(
    ledger: Ledger, models: dict[str, Any]
) -> None:
    def either(name: str) -> Any:
        """Return a model that is sure of its own rows: a third of them, and the other two."""

        def choose(prompt: Prompt, _: Any) -> list[float]:
            number = int(prompt.text.split()[0].split("-")[1])
            chance = 0.6 + 0.38 * ((number % 3 == 0) == (name == "cheap")) - number / 1e5
            return [chance, 1 - chance]

        return ScriptedModel(choose, name=name)

    halves = {CHEAP: either("cheap"), STRONG: either("strong")}
    with priced(ledger, halves, cheap=10, strong=11) as gateway:
        made, told = cascade(gateway)
    assert made.models == (STRONG, CHEAP)
    assert [each.model for each in told] == [STRONG, STRONG, CHEAP]  # tried, then in this order
    assert told[1].share == 1
    share, expected = told[2].share, told[2].expected
    assert share is not None
    assert share < 0.34  # the strong one is sure of the other two thirds
    assert expected is not None
    assert expected.requests == pytest.approx(1000 * share + 200, rel=0.05)


def test_what_was_asked_to_learn_is_not_bought_again_in_another_order(
    ledger: Ledger, models: dict[str, Any]
) -> None:
    """Where the sample is all there is, both models have answered what they are needed for."""
    with priced(ledger, models, cheap=19, strong=20) as gateway:
        checked, goal = gold_of(texts_of(200, 1)), Goal(0.9, 0.9, 300)
        made = fit_cascade(
            texts_of(300, 5001), checked, TASK, ScriptedKind(), gateway, SETTINGS, goal
        )
    assert made.models == (CHEAP, STRONG)


def test_models_that_answered_other_gold_rows_are_not_compared(gateway: Gateway) -> None:
    made, _ = cascade(gateway)
    work = _Work([], None, TASK, ScriptedKind(), gateway, SETTINGS, Goal(0.9, 0.9, 1000))
    first, second = made.stages
    assert second.checked is not None
    few = replace(second.checked, row_ids=[f"x{each}" for each in second.checked.row_ids])
    for known, found in ((second.checked, True), (few, False)):
        stages = [first, replace(second, checked=known)]
        building = _Building(work, list(made.fitted), stages)
        assert (building.cheaper({CHEAP: 1000, STRONG: 1}) is not None) == found


class CalibratedKind(ScriptedKind):
    """Its scores are calibrated on the gold rows, as those of real kinds are."""

    def calibrated(self, fitted: ScriptedFitted, checked: Checked) -> ScriptedFitted:
        chance = checked.probability
        scores = np.log(np.stack([chance, 1 - chance], axis=1))
        factor = temperature(scores, np.where(checked.correct, 0, 1))
        checked = replace(checked, probability=softmax(factor * scores)[:, 0])
        return ScriptedFitted(fitted.model, checked, factor=factor)


@pytest.mark.slow
def test_the_choice_of_an_order_leaves_the_guarantee_whole(
    ledger: Ledger, models: dict[str, Any]
) -> None:
    """Draws of gold at prices that make the order depend on them, whatever way is taken."""
    world, failed, ways, draws = texts_of(3000, 99), 0, set(), 60
    with priced(ledger, models, cheap=11, strong=20) as gateway:
        for seed in range(draws):
            checked = gold_of(texts_of(120, seed))
            goal = Goal(0.9, 0.9, 100_000)
            made = fit_cascade(
                texts_of(100, 7), checked, TASK, CalibratedKind(), gateway, SETTINGS, goal
            )
            accepted = acceptance_of(made.stages, goal.precision, goal.confidence)
            if accepted is None or accepted.threshold is None:
                continue
            ways.add(made.models)
            found = made.answer(world, gateway)
            sure = found.probability > accepted.threshold
            right = np.array([each == "yes" for each in found.labels])
            failed += bool(right[sure].mean() < 0.9)
    assert len(ways) > 1
    assert failed / draws <= 0.1 + 2 * 0.039  # nominal, and two standard errors of 60 draws


@pytest.fixture
def _scripted_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "kind_of", lambda _: ScriptedKind())


def labelled(gateway: Gateway, gold: pl.DataFrame, rows: int, **options: Any) -> LabelResult:
    order = running.Order(SETTINGS, 0.95, 0.9, **options)
    return run_labelling(texts_of(rows, 77), TASK, gold, order, gateway=gateway, run="run-1")


@pytest.mark.usefixtures("_scripted_kind")
def test_the_result_tells_expected_and_measured_cost(gateway: Gateway) -> None:
    gold = pl.DataFrame({"text": texts_of(200, 1), "label": ["yes"] * 200})
    told: list[Stage] = []
    result = labelled(gateway, gold, 1500, tell=told.append)
    strong = result.stages[1]
    assert strong.expected == told[0].expected
    assert strong.expected is not None
    assert strong.measured is not None
    # The scripted model counts words as tokens, so only requests can be compared.
    assert strong.measured.requests == pytest.approx(strong.expected.requests, rel=0.25)
    total = sum(each.measured.money for each in result.stages if each.measured)
    assert total == pytest.approx(result.spend.money)
    assert result.acceptance is not None
    assert result.coverage == pytest.approx(result.acceptance.coverage, abs=0.1)
    assert result.as_dict()["stages"][1]["expected"]["money"] > 0


@pytest.mark.usefixtures("_scripted_kind")
def test_another_guarantee_is_looser_or_asks_again(gateway: Gateway) -> None:
    gold = pl.DataFrame({"text": texts_of(200, 1), "label": ["yes"] * 200})
    result = labelled(gateway, gold, 400)
    back = load(gateway.ledger, "run-1")
    assert back.acceptance == result.acceptance
    assert [each.used for each in back.stages] == [True, True]
    assert back.stages[1].measured == result.stages[1].measured
    assert result.rethreshold(precision=0.8).coverage > result.coverage
    assert result.rethreshold(precision=None).coverage == 1
    with pytest.raises(InputError, match="sends up rows"):
        result.rethreshold(precision=0.96)


@pytest.mark.usefixtures("_scripted_kind")
def test_a_failed_test_of_the_cascade_is_not_followed_by_a_second_one(gateway: Gateway) -> None:
    gold = pl.DataFrame({"text": texts_of(15, 1), "label": ["yes"] * 15})
    result = labelled(gateway, gold, 50)
    assert result.acceptance is not None
    assert result.acceptance.threshold is None
    assert result.coverage == 0
    with pytest.raises(InputError, match="sends up rows"):
        result.rethreshold(precision=0.6)


@pytest.mark.usefixtures("_scripted_kind")
def test_reviewed_rows_move_the_threshold_when_the_cascade_labels_again(
    gateway: Gateway, models: dict[str, Any]
) -> None:
    gold = pl.DataFrame({"text": texts_of(100, 1), "label": ["yes"] * 100})
    result = labelled(gateway, gold, 400)
    [batch] = batches_of(recall(gateway.ledger), gateway.ledger, reviewer="ann", n=150)
    made = [Decision(row, "label", "ann", "yes") for row in batch.row_ids]
    record_import(gateway.ledger, result.run, made, source="test")
    found = summarise(result, gateway.ledger)
    assert found.changes["accuracy"]["after"]["n"] > found.changes["accuracy"]["before"]["n"]
    assert CASCADED in found.lines()
    asked = len(models[CHEAP].asked)
    again = labelled(gateway, gold, 400, reviewed=True)
    assert len(models[CHEAP].asked) == asked
    assert result.acceptance is not None
    assert again.acceptance is not None
    assert again.acceptance.n > result.acceptance.n
    assert again.acceptance.threshold != result.acceptance.threshold


def part(label: str, probability: float, votes: float) -> Checked:
    """Return how one stage did on one row; its vote says which stage it was."""
    shares = {"chances": np.full((2, 3), votes), "only-here": np.zeros((2, 1))}
    return Checked(["a", "b"], ["yes", "yes"], [label, "yes"], np.array([probability, 0.5]),
                   np.array([label == "yes", True]), votes=shares)  # fmt: skip


def test_what_a_stage_says_beside_its_answer_goes_with_the_answer() -> None:
    last = part("yes", 0.9, 0.2)
    del last.votes["only-here"]  # type: ignore[attr-defined]
    found = under_policy([part("no", 0.7, 0.1), last], 0.8)
    assert found.labels == ["yes", "yes"]
    assert list(found.votes) == ["chances"]
    assert found.votes["chances"][:, 0].tolist() == [0.2, 0.1]
    before = Answers(["no"] * 2, np.array([0.7, 0.9]), votes={"chances": np.full((2, 3), 0.1)})
    further = Answers(["yes"], np.array([0.9]), votes={"chances": np.full((1, 3), 0.2)})
    merged = _merged(before, further, [0], "strong")
    assert merged.labels == ["yes", "no"]
    assert merged.votes["chances"][:, 0].tolist() == [0.2, 0.1]


def test_thresholds_by_class_are_those_of_one_model() -> None:
    task = LabelTask.of(["a", "b"]).model_copy(update={"kind": "multi"})
    stages = tuple(Stage(name, True, "", judged=True) for name in (CHEAP, STRONG))
    rows = Rows(pl.DataFrame({"row_id": ["a"]}), ["x"], {})
    result = LabelResult(
        task=task, rows=rows, answers=Answers([["a"]], np.array([0.5])),
        checked=part("yes", 0.9, 0.2), given={}, precision=0.9, confidence=0.9, steps=(), notes=(),
        spend=Spend(), seconds=0.0, run="run-1", stages=stages,
    )  # fmt: skip
    with pytest.raises(InputError, match="of one model, not of a cascade"):
        accept_by_class(result)
