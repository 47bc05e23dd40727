"""Attacks on made texts: what leaks is found, what is fresh is not accused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project, SynthesisResult, synthesize
from assay.errors import InputError
from assay.synth.privacy import PrivacyLimits, PrivacyReport, measure_privacy
from assay.synth.privacy.texts import membership
from assay.synth.release import release
from assay.synth.report.story import measures
from assay.synth.text import made_texts
from newsroom import TASK, newsroom

NAMES = ["membership by nearness", "membership by runs of 4 words"]


def texts(rows: int, seed: int) -> pl.DataFrame:
    return newsroom(rows, seed=seed, words=20, prefix=f"r{seed}-")


def area(found) -> tuple[float, float]:
    low, high = found.details["area_interval"]
    return low, high


def test_copies_are_recognised_and_a_limit_says_so() -> None:
    seen, control = texts(200, 0), texts(200, 1)
    report = measure_privacy(seen, seen, TASK, control=control)
    assert [each.name for each in report.attacks] == NAMES
    for each in report.attacks:
        assert each.interval.low > 0.9
        assert area(each)[0] > 0.95
    assert sum("membership" in each for each in report.exceeded(PrivacyLimits())) == 2
    lenient = PrivacyLimits(membership=1.0)
    assert not any("membership" in each for each in report.exceeded(lenient))
    assert PrivacyReport.from_dict(report.as_dict()) == report


def test_a_few_texts_given_away_are_found_though_the_mean_looks_harmless() -> None:
    seen, control = texts(300, 0), texts(300, 1)
    made = pl.concat([seen.head(30), texts(270, 2)])
    for each in membership(made, seen, control, TASK, seed=0):
        assert each.details["area"] < 0.65
        assert each.estimate == pytest.approx(0.1, abs=0.05)


def test_a_maker_that_remembers_nothing_is_rarely_accused() -> None:
    """Seen, control and made texts come from one source, so nothing is to be found."""
    source = texts(1000, 0)
    held, accused, alarms = [], [], []
    for number in range(40):
        drawn = source.sample(180, seed=number)
        for found in membership(drawn[:60], drawn[60:120], drawn[120:], TASK, seed=number):
            low, high = area(found)
            held.append(low <= 0.5 <= high)
            accused.append(found.interval.low > 0)
            alarms.append(found.details["control"])
    assert np.mean(held) >= 0.88
    assert np.mean(accused) <= 0.05
    assert np.mean(alarms) <= found.details["false_alarms"] + 0.02


def test_edited_texts_give_their_originals_away() -> None:
    seen, control = texts(200, 0), texts(200, 1)
    farm = pl.col("topic") == "farm"
    made = made_texts(seen, TASK, method="edit", class_name="farm", count=100, seed=0)
    for each in membership(made, seen.filter(farm), control.filter(farm), TASK, seed=0):
        assert area(each)[0] > 0.8


def test_the_control_that_sets_the_bar_is_not_judged_by_it() -> None:
    """Were it, no false alarm could ever be counted."""
    seen, control, made = texts(100, 0), texts(400, 1), texts(100, 2)
    found = membership(made, seen, control, TASK, seed=0)[0]
    assert found.details["false_alarms"] == pytest.approx(2 / 201)
    assert "against 200 control" in found.method


@pytest.mark.slow
def test_a_synthesis_tells_what_its_method_gives_away_and_a_limit_holds_it_back(
    tmp_path: Path,
) -> None:
    rows = newsroom(300, seed=1, words=14).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="topic")
    result = synthesize(project, for_class="farm", rows=30, doses=(0.5,), confirm=False)
    told = [each for each in measures(result) if each.startswith("membership")]
    assert len(told) == 2
    assert "edit on half of the rows" in told[0]
    assert "false alarms; AUC 0." in told[0]
    assert SynthesisResult.from_json(result.to_json()) == result
    release(result, project, tmp_path / "made.csv")
    project.ledger().close()

    settings = project.path / "assay.toml"
    settings.write_text(f"{settings.read_text()}\n[settings.synth]\nmembership = 0.0\n")
    strict = Project.open(project.path)
    with pytest.raises(InputError, match="membership by"):
        release(result, strict, tmp_path / "again.csv")
    strict.ledger().close()
