"""What must hold in every row: mined, shown, edited, enforced."""

from __future__ import annotations

from assay.synth.constraints.conflicts import require_consistent
from assay.synth.constraints.fitting import require_columns, require_types
from assay.synth.constraints.mining import mine_constraints
from assay.synth.constraints.spec import (
    AtMost,
    Between,
    Constraint,
    Decides,
    Filled,
    Never,
    OneOf,
    SumOf,
    Whole,
)
from assay.synth.constraints.text import (
    FILE,
    constraints_from_toml,
    constraints_to_toml,
    read_constraints,
    read_stated,
    stated_constraints,
    write_constraints,
)

__all__ = [
    "FILE",
    "AtMost",
    "Between",
    "Constraint",
    "Decides",
    "Filled",
    "Never",
    "OneOf",
    "SumOf",
    "Whole",
    "constraints_from_toml",
    "constraints_to_toml",
    "mine_constraints",
    "read_constraints",
    "read_stated",
    "require_columns",
    "require_consistent",
    "require_types",
    "stated_constraints",
    "write_constraints",
]
