"""Statistics that stay honest when a machine makes the suggestions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from assay.evidence.spec import Decision, Evidence, Interval, Verdict

if TYPE_CHECKING:
    from assay.evidence.accepting import Acceptance, accept_by_class, accept_threshold
    from assay.evidence.cascading import accept_cascade
    from assay.evidence.few import mean_from_few, prevalence_from_few
    from assay.evidence.guards import class_guards
    from assay.evidence.measuring import compare, estimate
    from assay.evidence.metrics import Metric, custom_metric, metric
    from assay.evidence.multiple import benjamini_hochberg, benjamini_yekutieli, weak_slices
    from assay.evidence.policy import decide
    from assay.evidence.power import Plan, more_rows, plan, rows_needed, smallest_effect
    from assay.evidence.screening import Screening
    from assay.evidence.timing import judge_times, time_commands
    from assay.evidence.vault import Confirmation, Vault

_HOMES = {
    "Acceptance": "accepting",
    "accept_by_class": "accepting",
    "accept_threshold": "accepting",
    "accept_cascade": "cascading",
    "mean_from_few": "few",
    "prevalence_from_few": "few",
    "class_guards": "guards",
    "compare": "measuring",
    "estimate": "measuring",
    "Metric": "metrics",
    "custom_metric": "metrics",
    "metric": "metrics",
    "benjamini_hochberg": "multiple",
    "benjamini_yekutieli": "multiple",
    "weak_slices": "multiple",
    "decide": "policy",
    "Plan": "power",
    "more_rows": "power",
    "plan": "power",
    "rows_needed": "power",
    "smallest_effect": "power",
    "Screening": "screening",
    "judge_times": "timing",
    "time_commands": "timing",
    "Confirmation": "vault",
    "Vault": "vault",
}

__all__ = [
    "Acceptance",
    "Confirmation",
    "Decision",
    "Evidence",
    "Interval",
    "Metric",
    "Plan",
    "Screening",
    "Vault",
    "Verdict",
    "accept_by_class",
    "accept_cascade",
    "accept_threshold",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "class_guards",
    "compare",
    "custom_metric",
    "decide",
    "estimate",
    "judge_times",
    "mean_from_few",
    "metric",
    "more_rows",
    "plan",
    "prevalence_from_few",
    "rows_needed",
    "smallest_effect",
    "time_commands",
    "weak_slices",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # NumPy and SciPy load on first use, not with the package.
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
