"""No ghosts on clean rows; planted conjunctions are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose, diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.slices import SliceDetector
from assay.diagnose.planting_slices import best_jaccard
from assay.diagnose.spec import Diagnosis
from assay.task import ClassDescription, Task

Random = np.random.Generator


def right_or_wrong(random: Random, n: int) -> np.ndarray:
    return (random.random(n) < 0.1).astype(np.float64)


def rarely_wrong(random: Random, n: int) -> np.ndarray:
    return (random.random(n) < 0.02).astype(np.float64)


def heavy_tails(random: Random, n: int) -> np.ndarray:
    return np.abs(random.standard_t(1.5, n))


def case(losses: np.ndarray, random: Random, *, seed: int, group: np.ndarray | None = None) -> Case:
    n = len(losses)
    columns: dict[str, object] = {f"x{number}": random.normal(size=n) for number in range(6)}
    columns |= {f"c{number}": random.choice(list("abcd"), n) for number in range(3)}
    columns["gaps"] = pl.Series(random.normal(size=n)).set(pl.Series(random.random(n) < 0.3), None)
    rows = pl.DataFrame({"row_id": [str(each) for each in range(n)], **columns})
    if group is not None:
        rows = rows.with_columns(customer=pl.Series(group))
    task = Task(
        kind="binary", modality="tabular", target="y", features=tuple(columns),
        classes=(ClassDescription(name="no"), ClassDescription(name="yes")),
        group=None if group is None else "customer",
    )  # fmt: skip
    truth = random.choice(np.array(["no", "yes"], dtype=object), n)
    return Case(rows, task, truth, truth, losses, seed=seed)


def found(given: Case) -> Diagnosis:
    return diagnose_case(given, detectors=[SliceDetector()])


@pytest.mark.parametrize("draw", [right_or_wrong, rarely_wrong, heavy_tails])
def test_clean_rows_give_findings_no_oftener_than_allowed(draw: object) -> None:
    random, alarms, runs = np.random.default_rng(1), 0, 60
    for seed in range(runs):
        alarms += bool(found(case(draw(random, 600), random, seed=seed)).findings)  # type: ignore[operator]
    # A true rate of 5 % gives more than this less often than once in a thousand.
    assert alarms <= stats.binom.isf(0.001, runs, 0.05)


def test_errors_that_come_in_groups_are_no_slices() -> None:
    random, alarms, runs = np.random.default_rng(2), 0, 40
    for seed in range(runs):
        group = np.repeat(np.arange(60), 10)
        losses = (random.random(600) < np.repeat(random.beta(0.3, 1.2, 60), 10)).astype(float)
        given = case(losses, random, seed=seed, group=group)
        # A column that is constant within a group would pass for a slice, were rows independent.
        whole = np.repeat(random.choice(list("abcd"), 60), 10)
        rows = given.rows.with_columns(c0=pl.Series(whole))
        alarms += bool(found(Case(rows, given.task, given.truth, given.truth, losses,
                                  seed=seed)).findings)  # fmt: skip
    assert alarms <= stats.binom.isf(0.001, runs, 0.05)


def test_planted_conjunctions_are_found_and_named() -> None:
    random, hits, runs = np.random.default_rng(3), 0, 20
    for seed in range(runs):
        given = case(right_or_wrong(random, 2000), random, seed=seed)
        mask = ((given.rows["x1"] > 0.5) & (given.rows["c2"] == "b")).to_numpy()
        losses = np.where(mask & (random.random(2000) < 0.5), 1.0, given.losses)
        planted = Case(given.rows, given.task, given.truth, given.truth, losses, seed=seed)
        hits += best_jaccard(found(planted), planted, mask) >= 0.5
    assert hits >= 16


def test_the_shadow_of_a_slice_is_not_reported_as_another() -> None:
    random = np.random.default_rng(4)
    given = case(right_or_wrong(random, 4000), random, seed=0)
    mask = (given.rows["x1"] > 0.67).to_numpy()
    losses = np.where(mask & (random.random(4000) < 0.6), 1.0, given.losses)
    diagnosis = found(Case(given.rows, given.task, given.truth, given.truth, losses))
    assert len(diagnosis.findings) == 1
    finding = diagnosis.findings[0]
    assert finding.predicate is not None
    assert {each.column for each in finding.predicate.conditions} == {"x1"}
    assert finding.effect.interval.low > 0.3
    assert finding.severity == "high"
    assert 0.3 < finding.share < 1
    assert finding.size == int(finding.predicate.select(given.rows).sum())


def test_text_traits_and_their_conjunctions_are_found() -> None:
    random, n = np.random.default_rng(5), 2000
    negated, questioned = random.random(n) < 0.4, random.random(n) < 0.4
    texts = [
        f"the thing will {'not' if no else 'yet'} work{'?' if ask else '.'} " + "ab " * filler
        for no, ask, filler in zip(negated, questioned, random.integers(1, 9, n), strict=True)
    ]
    rows = pl.DataFrame({"row_id": [str(each) for each in range(n)], "text": texts})
    rows = rows.with_columns(text=pl.col("text") + pl.col("row_id"))
    task = Task(kind="binary", modality="text", target="y", text="text")
    losses = np.where(negated & questioned, random.random(n) < 0.6, random.random(n) < 0.05)
    given = Case(rows, task, np.array(["a"] * n), np.array(["a"] * n), losses.astype(float))
    diagnosis = found(given)
    words = [each.title for each in diagnosis.findings]
    assert words == ["worse where text with negation and text with question"]


def test_rows_that_count_more_weigh_more_in_the_search() -> None:
    random, n = np.random.default_rng(6), 2000
    given = case(right_or_wrong(random, n), random, seed=0)
    heavy, light = ((given.rows[name] > 1.0).to_numpy() for name in ("x1", "x2"))
    hit = (heavy | light) & (random.random(n) < 0.4)
    weights = np.where(heavy, 5.0, np.where(light, 0.05, 1.0))
    weighed = replace(given, losses=np.where(hit, 1.0, given.losses), weights=weights)
    (first, *_) = found(weighed).findings
    assert first.predicate is not None
    assert [each.column for each in first.predicate.conditions] == ["x1"]


def test_what_both_halves_find_is_told_once_and_each_way_has_half_the_level() -> None:
    random = np.random.default_rng(7)
    given = case(right_or_wrong(random, 3000), random, seed=0)
    mask = (given.rows["x1"] > 0.5).to_numpy()
    planted = replace(given, losses=np.where(mask & (random.random(3000) < 0.6), 1.0, given.losses))
    both = found(planted)
    once = diagnose_case(planted, detectors=[replace(SliceDetector(), both_ways=False)])
    assert len(both.findings) == len(once.findings) == 1
    assert both.looked[0].suspected > once.looked[0].suspected
    assert both.findings[0].p_adjusted == pytest.approx(2 * once.findings[0].p_adjusted)


def test_a_slice_that_holds_every_error_costs_no_more_than_all_of_the_loss() -> None:
    random = np.random.default_rng(2)
    town, truth = random.choice(["a", "b", "c", "d"], 400), random.choice(["yes", "no"], 400)
    wrong = (town == "a") & (random.random(400) < 0.8)
    said = np.where(wrong, np.where(truth == "yes", "no", "yes"), truth)
    rows = pl.DataFrame({"town": town, "y": truth, "prediction": said})
    (found,) = diagnose(rows, truth="y", detectors=[SliceDetector()], seed=2).findings
    assert found.share == 1.0
