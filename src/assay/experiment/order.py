"""What a search was asked for, and the entrants that it begins with."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from assay.engine import check_engine
from assay.errors import InputError
from assay.experiment.plan.spec import Try
from assay.experiment.plan.values import tried_values
from assay.experiment.search.carrying import with_rows_of
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.families import portfolio
from assay.experiment.search.space import Family
from assay.experiment.search.tuner import Sampler
from assay.recipe import Estimator, Feature, Raw, Recipe, Tabular, columns_of, new_estimator
from assay.task import Task

UNKNOWN_COMPLEXITY = 4

LINE = "sklearn.linear_model.LogisticRegression"
MANY_CLASSES = 5
"""A line of so many classes is slow to fit."""


@dataclass(frozen=True)
class Order:
    """What a search was asked for; see :func:`assay.experiment.experiment`."""

    minutes: float = 10.0
    families: tuple[str, ...] = ()
    estimators: tuple[Estimator, ...] = ()
    keep: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    most: int | None = None
    workers: int | None = None
    fit_seconds: float | None = None
    memory_gib: float | None = None
    sampler: Sampler = "tpe"
    engine: str = "local"
    confirm: bool = True
    simplest: bool = True
    tries: tuple[Try, ...] = ()

    def __post_init__(self) -> None:
        """Check the figures and the engine.

        Raises
        ------
        InputError
            When a figure is not above zero, or the engine is not known.
        MissingExtraError
            When the engine is not installed.
        """
        check_engine(self.engine)
        for name in ("minutes", "most", "workers", "fit_seconds", "memory_gib"):
            given = getattr(self, name)
            if given is not None and not given > 0:
                raise InputError(f"{name} must be above zero.", given=given)

    @property
    def beginning(self) -> dict[str, object]:
        """What makes a search the same one: it goes on where it was stopped."""
        return {
            "families": list(self.families),
            "estimators": [each.plain() for each in self.estimators],
            "keep": list(self.keep),
            "leave_out": list(self.leave_out),
            "minutes": self.minutes,
            "most": self.most,
            "sampler": self.sampler,
            "tries": [each.model_dump(mode="json") for each in self.tries],
        }


def without_columns(recipe: Recipe, columns: Sequence[str]) -> Recipe:
    """Return ``recipe`` without these columns, and without the functions that read one.

    Encoded columns of which none is left are left out too, where there is another feature.
    """

    def mended(feature: Feature) -> Feature:
        if not isinstance(feature, Tabular | Raw):
            return feature
        left = tuple(each for each in feature.columns if each not in columns)
        return feature.model_copy(update={"columns": left})

    def usable(feature: Feature) -> bool:
        return isinstance(feature, Tabular | Raw) or not set(columns_of(feature)) & set(columns)

    def without(each: Recipe) -> Recipe:
        left = [mended(one) for one in each.features if usable(one)]
        return each.with_features(*([one for one in left if columns_of(one)] or left))

    bare = [(weight, without(each)) for weight, each in recipe.members]
    return bare[0][1].blended_with(*bare[1:]).with_decision(recipe.decision)


def first_entrants(
    order: Order,
    baseline: Recipe,
    families: tuple[Family, ...],
    task: Task,
    own: str = "project",
) -> deque[Entrant]:
    """Return the project's own recipe, the user's estimators, and the portfolio.

    Of texts in many classes a quick start goes before the recipe, which is called ``own``.

    Raises
    ------
    InputError
        When an estimator cannot be imported, or a try's values are none of its family's.
    """
    entrants = [*_start(baseline, families, task), _entrant(own, "recipe", baseline, 1)]
    for estimator in order.estimators:
        name = estimator.path.rpartition(".")[2]
        recipe = own_model(baseline, estimator, task)
        entrants.append(_entrant(name, "yours", recipe, UNKNOWN_COMPLEXITY))
    named = {each.name: each for each in families}
    for each in order.tries:
        if each.family in named:
            family = named[each.family]
            values = tried_values(each, family)
            entrant = _entrant(each.family, "plan", family.build(values), family.complexity)
            entrant.values = values
            entrants.append(entrant)
    return deque([*entrants, *default_entrants(families)])


def _start(baseline: Recipe, families: tuple[Family, ...], task: Task) -> list[Entrant]:
    """Return a widest margin on the recipe's own words, where its line would take far longer.

    A line is fitted to every class, over and over; the encoded words are shared.
    """
    margins = next((each for each in families if each.name == "margins"), None)
    line = baseline.estimator.path == LINE and not baseline.blend
    if margins is None or not task.text or len(task.class_names) < MANY_CLASSES or not line:
        return []
    margin = Estimator(path="sklearn.svm.LinearSVC", parameters={"C": 0.5})
    recipe = baseline.model_copy(update={"estimator": margin})
    return [_entrant("start", "portfolio", recipe, margins.complexity)]


def default_entrants(families: tuple[Family, ...]) -> list[Entrant]:
    """Return the portfolio."""
    entrants = []
    for family, values in portfolio(families):
        entrant = _entrant(family.name, "portfolio", family.build(values), family.complexity)
        entrant.values = dict(values)
        entrants.append(entrant)
    return entrants


def own_model(baseline: Recipe, estimator: Estimator, task: Task) -> Recipe:
    """Return the recipe of a user's estimator, on the features that the baseline has.

    An estimator whose attribute ``reads_table`` is true is given the columns as they are.

    Raises
    ------
    InputError
        When it cannot be imported, or refuses a parameter.
    """
    model = new_estimator(estimator, 0)
    decision = baseline.decision if hasattr(model, "predict_proba") else None
    update = {"estimator": estimator, "blend": (), "decision": decision}
    recipe = with_rows_of(baseline, baseline.model_copy(update=update))
    if not getattr(model, "reads_table", False):
        return recipe
    columns = {name for each in baseline.features for name in columns_of(each)}
    return recipe.with_features(Raw(columns=tuple(n for n in task.inputs if n in columns)))


def _entrant(family: str, origin: str, recipe: Recipe, complexity: int) -> Entrant:
    return Entrant(0, family, origin, recipe, {}, complexity)
