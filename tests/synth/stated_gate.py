"""A gate whose verdict is stated, for tests of what comes after it."""

from __future__ import annotations

import pytest

from assay.evidence import Evidence, Interval
from assay.evidence.spec import Verdict
from assay.synth.gate import Gate, Judgement
from assay.synth.result import Dose


def keep(monkeypatch: pytest.MonkeyPatch, method: str | None) -> None:
    """Have the gate keep one made row for each real one by ``method``, without a trial."""
    gain = Evidence("gain", 0.1, Interval(0.05, 0.15), 100, "stated", p_value=0.001)
    verdict = Verdict("kept", "stated", (gain,))
    dose = None if method is None else Dose(method, 1.0, "h", verdict, 0.001, "p")

    def judged(gate: Gate, *_: object) -> Judgement:
        return Judgement(() if dose is None else (dose,), dose, gate.project.recipe, None)

    monkeypatch.setattr(Gate, "judge", judged)
