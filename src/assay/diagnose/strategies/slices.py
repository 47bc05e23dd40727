"""A failing slice, told to the model as a feature."""

from __future__ import annotations

from assay.recipe import Derived
from assay.tables.predicate import Predicate

CODE = '''\
def feature(rows, seen):
    """Whether a row lies in a slice on which the model was found to do worse."""
    import polars as pl

    conditions = {conditions}
    inside = pl.lit(True)
    for column, operator, value in conditions:
        cell = pl.col(column)
        if operator == "is empty":
            holds = cell.is_null()
        elif operator == "is not empty":
            holds = cell.is_not_null()
        elif operator in ("<=", ">"):
            number = cell.cast(pl.Float64)
            holds = number <= value if operator == "<=" else number > value
        elif operator == "contains":
            word = pl.escape_regex(value.strip())
            holds = cell.cast(pl.String).str.contains(rf"(?i)(?:^|\\W){{word}}(?:\\W|$)")
        else:
            same = cell.cast(pl.String) == value
            holds = same if operator == "=" else ~same
        inside = inside & holds.fill_null(False)
    return rows.select(inside.cast(pl.Float64).alias("in the slice"))
'''


def slice_feature(predicate: Predicate) -> Derived:
    """Return the feature that is 1 on the predicate's rows and 0 on the others."""
    conditions = [(each.column, each.operator, each.plain) for each in predicate.conditions]
    return Derived(
        name=f"slice: {predicate.words}",
        columns=tuple(dict.fromkeys(each.column for each in predicate.conditions)),
        code=CODE.format(conditions=repr(conditions)),
    )
