"""Features by rule: ratios, counts, dates, statistics of groups, lengths of texts, gaps.

Each is a readable function that sees no target; where it needs statistics, it takes them from
the training rows that it is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from operator import methodcaller

from assay.experiment.features.columns import Columns, most_distinct
from assay.recipe import Derived, Observation, Proposal

MOST_NUMBERS = 5
MOST_CATEGORIES = 4
FEW_VALUES = 10
"""A category with no more values than this is encoded well enough without its count."""

RATIOS = '''\
def feature(rows, seen):
    """Each number divided by each other; absent where it would be divided by zero."""
    import polars as pl

    pairs = {pairs}
    return rows.select(
        pl.when(pl.col(below) != 0)
        .then(pl.col(above) / pl.col(below))
        .alias(f"{{above}} / {{below}}")
        for above, below in pairs
    )
'''
COUNTS = '''\
def feature(rows, seen):
    """How many of the training rows have the same value."""
    import polars as pl

    names = {names}
    return pl.DataFrame({{
        f"rows with this {{name}}": rows.select(name).join(
            seen.group_by(name).len(), on=name, how="left", nulls_equal=True, maintain_order="left"
        )["len"].fill_null(0)
        for name in names
    }})
'''
GROUPS = '''\
def feature(rows, seen):
    """How far each number is from the mean of the training rows of the same group."""
    import polars as pl

    groups, numbers = {groups}, {numbers}
    made = {{}}
    for group in groups:
        means = seen.group_by(group).agg(pl.col(numbers).mean())
        beside = rows.select(group).join(
            means, on=group, how="left", nulls_equal=True, maintain_order="left"
        )
        for number in numbers:
            made[f"{{number}} beside its {{group}}"] = rows[number] - beside[number]
    return pl.DataFrame(made)
'''
DATES = '''\
def feature(rows, seen):
    """Weekday, weekend, month and day of each date, and the days between each two."""
    import polars as pl
    from itertools import combinations

    names = {names}
    days = {{name: pl.col(name).cast(pl.Date) for name in names}}
    made = []
    for name, day in days.items():
        made += [
            day.dt.weekday().alias(f"weekday of {{name}}"),
            (day.dt.weekday() >= 6).alias(f"weekend of {{name}}"),
            day.dt.month().alias(f"month of {{name}}"),
            day.dt.day().alias(f"day of {{name}}"),
        ]
    for first, second in combinations(names, 2):
        apart = (days[second] - days[first]).dt.total_days()
        made.append(apart.alias(f"days from {{first}} to {{second}}"))
    return rows.select(made)
'''
LENGTHS = '''\
def feature(rows, seen):
    """Characters, words, digits and capitals of each text."""
    import polars as pl

    made = []
    for name in {names}:
        text = pl.col(name).cast(pl.String).fill_null("")
        made += [
            text.str.len_chars().alias(f"characters of {{name}}"),
            text.str.count_matches(r"\\w+").alias(f"words of {{name}}"),
            text.str.count_matches(r"\\d").alias(f"digits of {{name}}"),
            text.str.count_matches(r"\\p{{Lu}}").alias(f"capitals of {{name}}"),
        ]
    return rows.select(made)
'''
GAPS = '''\
def feature(rows, seen):
    """How many columns are empty, and which."""
    import polars as pl

    names = {names}
    empty = [pl.col(name).is_null().alias(f"{{name}} is empty") for name in names]
    return rows.select(pl.sum_horizontal(*empty).alias("empty columns"), *empty)
'''


class DerivedFeatureSource:
    """Functions of a table's columns, a family at a time."""

    name = "derived_features"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield one edit for each family that the table has columns for; none for texts."""
        if observation.task.modality != "tabular":
            return
        columns = Columns.of(observation.search, observation.task)
        for rationale, feature in _families(observation, columns):
            yield Proposal(
                feature.name,
                rationale,
                "rule:derived_features",
                methodcaller("with_feature", feature),
            )


def _families(observation: Observation, columns: Columns) -> Iterator[tuple[str, Derived]]:
    rows = observation.search
    numbers = most_distinct(rows, columns.numbers, MOST_NUMBERS)
    if len(numbers) > 1:
        pairs = list(combinations(numbers, 2))
        yield (
            "how large one number is beside another may say more than either",
            Derived(name="ratios of numbers", columns=numbers, code=RATIOS.format(pairs=pairs)),
        )
    many = [name for name in columns.categories if rows[name].n_unique() > FEW_VALUES]
    counted = most_distinct(rows, many, MOST_CATEGORIES)
    if counted:
        yield (
            "how common a value is can matter where there are too many to learn one by one",
            Derived(
                name="counts of categories",
                columns=counted,
                code=COUNTS.format(names=list(counted)),
            ),
        )
    grouping = [name for name in columns.categories if 1 < rows[name].n_unique() <= rows.height / 5]
    groups = most_distinct(rows, grouping, 2)
    if groups and numbers:
        code = GROUPS.format(groups=list(groups), numbers=list(numbers))
        yield (
            "a number may be large for its group and small for the table",
            Derived(name="numbers beside their group", columns=(*groups, *numbers), code=code),
        )
    for names, name, template, rationale in (
        (columns.dates, "parts of dates", DATES, "habits follow the week and the year"),
        (columns.texts, "lengths of texts", LENGTHS, "how a text is written may tell who wrote it"),
        (columns.gappy, "empty columns", GAPS, "what was not filled in may be no accident"),
    ):
        if names:
            code = template.format(names=list(names))
            yield rationale, Derived(name=name, columns=names, code=code)
