"""A family of networks that were fitted to made-up tables: TabPFN and TabICL, where at hand."""

from __future__ import annotations

from dataclasses import dataclass

from assay.experiment.search.circumstances import Circumstances, installed
from assay.experiment.search.making import for_trees, recipe_of, shared_space, with_defaults
from assay.experiment.search.space import Choice, Dimension, Family, Values
from assay.recipe import Recipe
from assay.recipe.local_weights import local_weights, version_of, weights_folder

PRIOR_FITTED = "prior_fitted"


@dataclass(frozen=True)
class Reach:
    """The largest table that weights are for, on a processor.

    Attributes
    ----------
    rows
        For TabPFN what it accepts on a processor, 1,000 before version 3; for TabICL, which says
        100,000, what a processor reads in seconds.
    columns, classes
        What the package states; for TabICL's columns what it was trained on.
    """

    rows: int
    columns: int
    classes: int


def reach(package: str, version: float) -> Reach:
    """Return the largest table that a version of a package's weights is for."""
    if package == "tabicl":
        return Reach(5_000, 100, 10)
    return Reach(5_000 if version >= 3 else 1_000, 500, 10)


def prior_fitted_families(seen: Circumstances) -> list[Family]:
    """Return the family where a package, its weights and a small table are there, else none."""
    found: dict[str, str] = {}
    for package in _candidates(seen):
        weights = local_weights(package, regression=seen.regression)
        if weights is not None and _within(seen, reach(package, version_of(weights.name))):
            found[package] = weights.name
    return [_family(seen, found)] if found else []


def missing_weights(seen: Circumstances) -> list[str]:
    """Return why packages that are installed take no part, in words, where weights are missing."""
    return [
        f"{PRIOR_FITTED} is searched without {package}: its weights are not on this machine "
        f"({weights_folder(package)}), and none are fetched unasked"
        for package in _candidates(seen)
        if local_weights(package, regression=seen.regression) is None
    ]


def _candidates(seen: Circumstances) -> list[str]:
    """Return the installed packages that some weights of would be for this table."""
    if seen.task.text:
        return []
    packages = ("tabpfn", "tabicl")
    newest = float("inf")
    return [each for each in packages if installed(each) and _within(seen, reach(each, newest))]


def _within(seen: Circumstances, most: Reach) -> bool:
    classes = 0 if seen.regression else len(seen.task.class_names)
    return seen.rows <= most.rows and len(seen.columns) <= most.columns and classes <= most.classes


def _family(seen: Circumstances, weights: dict[str, str]) -> Family:
    kind = "Regressor" if seen.regression else "Classifier"
    space: dict[str, Dimension] = {
        "package": Choice(tuple(weights)),
        "n_estimators": Choice((1, 4, 8)),
        **shared_space(seen, class_weight=False),
    }

    def build(values: Values) -> Recipe:
        own = {**values, "weights": weights.get(values["package"], "")}
        return recipe_of(for_trees(seen), f"assay.recipe.prior_fitted.PriorFitted{kind}", own)

    return Family(
        PRIOR_FITTED,
        "few rows: it learned from made-up tables how to read a new one",
        4,
        space,
        with_defaults(space, *({"package": each, "n_estimators": 4} for each in weights)),
        build,
    )
