from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from assay.diagnose import diagnose
from assay.diagnose.detectors.robustness import RobustnessDetector
from assay.diagnose.detectors.wordings import NAMES, with_other_names, written_out


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("I can't and won't.", "I cannot and will not."),
        ("Don't! It isn\N{RIGHT SINGLE QUOTATION MARK}t.", "Do not! It is not."),
        ("I'm sure they're here, we've won", "I am sure they are here, we have won"),
        ("Mary's want; the giant's antics", "Mary's want; the giant's antics"),
    ],
)
def test_contractions_are_written_out(short: str, long: str) -> None:
    assert written_out(short, np.random.default_rng(0)) == long


def test_a_name_is_exchanged_alike_wherever_it_stands() -> None:
    changed = with_other_names("Emma saw Emma, not Paulina.", np.random.default_rng(0))
    first, second = changed.split()[0], changed.split()[2].rstrip(",")
    assert first == second != "Emma"
    assert first in NAMES
    assert changed.endswith("not Paulina.")


def test_a_model_that_reads_names_is_told_and_rows_without_names_do_not_dilute_it() -> None:
    random = np.random.default_rng(0)
    named = random.random(800) < 0.15
    who = np.where(named, random.choice(["Emma", "James"], 800), "the clerk")
    texts = [f"We met {each} on day {at}." for at, each in enumerate(who)]
    rows = pl.DataFrame({"text": texts, "y": random.choice(["a", "b"], 800)})

    def model(part: pl.DataFrame) -> np.ndarray:
        return np.where(part["text"].str.to_lowercase().str.contains("emma|clerk"), "a", "b")

    found = diagnose(rows, truth="y", model=model, text="text", detectors=[RobustnessDetector()])
    told = {each.title: each.effect.n for each in found.findings}
    assert "answers change with other first names" in told
    assert told["answers change with other first names"] < 100
    assert "answers change with contractions written out" not in told
