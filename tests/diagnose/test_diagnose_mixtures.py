from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from assay.diagnose import diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.mixtures import MixtureDetector
from assay.diagnose.spec import Diagnosis
from assay.task import Task
from newsroom import newsroom


def found(rows: pl.DataFrame, losses: np.ndarray, seed: int) -> Diagnosis:
    task = Task(kind="binary", modality="text", target="y", text="text")
    truth = np.array(["a"] * rows.height, dtype=object)
    case = Case(rows.drop("topic"), task, truth, truth, losses.astype(float), seed=seed)
    return diagnose_case(case, detectors=[MixtureDetector()])


def test_texts_of_one_topic_that_fail_are_found_and_named() -> None:
    random, rows = np.random.default_rng(0), newsroom(900, topical=0.6)
    farm = (rows["topic"] == "farm").to_numpy()
    findings = found(rows, random.random(900) < np.where(farm, 0.5, 0.05), 0).findings
    words = {"wheat", "corn", "harvest", "soil", "tractor", "rain", "barley", "crop", "field"}
    assert findings
    for each in findings:
        assert each.code == "AS102"
        assert words & set(each.title.replace(",", "").split())


def test_errors_that_follow_no_topic_are_no_group() -> None:
    random, rows, runs = np.random.default_rng(1), newsroom(500, topical=0.6), 12
    alarms = 0
    for seed in range(runs):
        alarms += bool(found(rows, random.random(500) < 0.15, seed).findings)
    assert alarms <= stats.binom.isf(0.001, runs, 0.05)
