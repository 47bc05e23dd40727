"""What the report says where nothing was kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assay import Project, synthesize
from assay.evidence import Decision, Evidence, Interval, Verdict
from assay.synth.gate import Gate, Judgement, worth_told
from assay.synth.report import headline
from assay.synth.result import Dose
from newsroom import newsroom


def gain(low: float, high: float, p_value: float) -> Evidence:
    return Evidence("gain", (low + high) / 2, Interval(low, high), 100, "stated", p_value=p_value)


@pytest.mark.parametrize(
    ("worth", "told"),
    [
        (gain(0.01, 0.05, 0.001), "Real rows do help: 15 of the 30 .* Label about 30 more"),
        (gain(-0.02, 0.08, 0.1), "Whether real rows help is open: .* More of them would tell"),
        (gain(-0.09, 0.05, 0.7), "Whether real rows help is open: "),
        (gain(-0.05, 0.009, 0.9), "Real rows show no gain either: .* features and labels first"),
    ],
)
def test_that_real_rows_show_no_gain_is_said_where_one_is_ruled_out(
    worth: Evidence, told: str
) -> None:
    assert re.match(told, worth_told(worth, 30, "rows", level=0.05, min_effect=0.01))


@pytest.mark.parametrize(
    ("decisions", "told"),
    [
        (("dropped", "undecided"), "Nothing could be proven to help 'farm'."),
        (("dropped", "dropped"), "None of it helped 'farm'."),
    ],
)
def test_that_nothing_helped_is_not_said_of_what_is_undecided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decisions: tuple[Decision, ...], told: str
) -> None:
    doses = tuple(
        Dose("edit", 1.0, "h", Verdict(each, "stated", (gain(-0.01, 0.06, 0.1),)), 0.2, "p")
        for each in decisions
    )
    monkeypatch.setattr(
        Gate, "judge", lambda gate, *_: Judgement(doses, None, gate.project.recipe, None)
    )
    rows = newsroom(220, seed=1, words=14).drop("row_id")
    project = Project.create(tmp_path / "p", rows, target="topic")
    result = synthesize(project, for_class="farm", method="edit", rows=10, confirm=False)
    assert headline(result) == told
    project.ledger().close()
