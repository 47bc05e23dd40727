"""Fidelity, utility and diversity of made rows."""

from __future__ import annotations

from assay.synth.measure.diversity import distinct_n, plan_coverage, vendi_score
from assay.synth.measure.fidelity import Fidelity, measure_fidelity
from assay.synth.measure.utility import Utility, measure_utility

__all__ = [
    "Fidelity",
    "Utility",
    "distinct_n",
    "measure_fidelity",
    "measure_utility",
    "plan_coverage",
    "vendi_score",
]
