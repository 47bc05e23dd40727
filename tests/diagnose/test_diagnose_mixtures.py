from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from assay.diagnose import diagnose, diagnose_case
from assay.diagnose.case import Case
from assay.diagnose.detectors.mixtures import MixtureDetector
from assay.diagnose.spec import Diagnosis
from assay.errors import InputError
from assay.llm import ScriptedModel
from assay.llm.forecast import Estimate
from assay.task import Task
from newsroom import newsroom


def found(
    rows: pl.DataFrame, losses: np.ndarray, seed: int, meaning: np.ndarray | None = None
) -> Diagnosis:
    task = Task(kind="binary", modality="text", target="y", text="text")
    truth = np.array(["a"] * rows.height, dtype=object)
    case = Case(
        rows.select("row_id", "text"),
        task,
        truth,
        truth,
        losses.astype(float),
        meaning=meaning,
        seed=seed,
    )
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


def meant(n: int, random: np.random.Generator) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Texts of the same words that mean one of four things, which of them, and their embeddings."""
    kind = random.integers(4, size=n)
    words = random.choice(["wheat", "bank", "goal", "moon", "song"], (n, 4))
    texts = [f"{' '.join(each)} no{number}" for number, each in enumerate(words)]
    rows = pl.DataFrame({"row_id": [str(each) for each in range(n)], "text": texts})
    return rows, kind, np.eye(4)[kind] + 0.2 * random.normal(size=(n, 4))


def test_texts_that_mean_alike_and_fail_are_found_where_words_do_not_tell_them() -> None:
    random = np.random.default_rng(0)
    rows, kind, meaning = meant(900, random)
    losses = random.random(900) < np.where(kind == 2, 0.5, 0.05)
    assert not found(rows, losses, 0).findings
    findings = found(rows, losses, 0, meaning).findings
    assert findings
    for each in findings:
        places = [int(row) for row in each.row_ids]
        assert (kind[places] == 2).mean() > 0.9
    alarms = sum(
        bool(found(rows, random.permutation(losses), seed, meaning).findings) for seed in range(12)
    )
    assert alarms <= stats.binom.isf(0.001, 12, 0.05)


def test_a_model_is_asked_for_embeddings_of_rows_that_have_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    random = np.random.default_rng(0)
    rows, kind, meaning = meant(600, random)
    places = dict(zip(rows["text"], meaning, strict=True))
    scripted = {"scripted:model": ScriptedModel(embed=lambda text: places[text].tolist())}
    wrong = random.random(600) < np.where(kind == 2, 0.6, 0.05)
    truth = random.choice(["a", "b"], 600)
    said = np.where(wrong, np.where(truth == "a", "b", "a"), truth)
    asked: dict[str, Any] = {"truth": "y", "detectors": [MixtureDetector()], "models": scripted}
    table = rows.select("text", y=pl.Series(truth))
    told = diagnose(table, predictions=said, text="text", embed="scripted:model", **asked)
    assert {each.code for each in told.findings} == {"AS102"}
    assert "over embeddings" in told.looked[0].what
    assert "--embed" in diagnose(table, predictions=said, text="text", **asked).looked[0].skipped
    with pytest.raises(InputError, match="embed needs a text column"):
        diagnose(
            pl.DataFrame({"x": random.normal(size=600), "y": truth}), predictions=said,
            embed="scripted:model", **asked,
        )  # fmt: skip


def test_what_embedding_would_take_is_told_before_a_text_is_sent() -> None:
    random = np.random.default_rng(1)
    rows, _, _ = meant(300, random)
    table = rows.select("text", y=pl.Series(random.choice(["a", "b"], 300)), prediction=pl.lit("a"))
    sent: list[str] = []
    scripted = {
        "scripted:model": ScriptedModel(embed=lambda text: bool(sent.append(text)) or [1.0])
    }
    forecasts: list[Estimate] = []
    told = diagnose(
        table, truth="y", text="text", embed="scripted:model", models=scripted,
        detectors=[MixtureDetector()], consent=lambda each: bool(forecasts.append(each)),
    )  # fmt: skip
    assert not sent
    (forecast,) = forecasts
    assert (forecast.question, forecast.rows) == ("embed", 300)
    assert forecast.tokens_in > 300
    assert "--embed" in told.looked[0].skipped
