"""Tables in and out, what is predicted from them, and which row plays which role."""

from __future__ import annotations

from assay.tables.door import to_polars
from assay.tables.fingerprint import fingerprint
from assay.tables.fit import completed, fitted
from assay.tables.infer import Inference, Note, infer_task, require_column
from assay.tables.kinds import CATEGORIES, ColumnKind, column_kind
from assay.tables.read import read_table
from assay.tables.roles import (
    LABELLED_MINIMUM,
    VAULT_MINIMUM,
    VAULT_SHARE,
    Role,
    assign_roles,
)
from assay.tables.rows import (
    ROW_ID,
    WORDS,
    with_clean_target,
    with_plain_columns,
    with_row_ids,
    with_times,
)
from assay.tables.units import copies_matter, half_of, read_alike, row_units
from assay.tables.write import write_table

__all__ = [
    "CATEGORIES",
    "LABELLED_MINIMUM",
    "ROW_ID",
    "WORDS",
    "VAULT_MINIMUM",
    "VAULT_SHARE",
    "ColumnKind",
    "Inference",
    "Note",
    "Role",
    "assign_roles",
    "column_kind",
    "completed",
    "copies_matter",
    "fingerprint",
    "fitted",
    "half_of",
    "infer_task",
    "read_alike",
    "read_table",
    "require_column",
    "row_units",
    "to_polars",
    "with_clean_target",
    "with_plain_columns",
    "with_row_ids",
    "with_times",
    "write_table",
]
