"""The Recipe: how a model is built, as an immutable, hashed, readable description."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator

from assay.recipe.feature_parts import Derived, Embedding, Feature, Raw, Slice, Tabular, Tfidf
from assay.recipe.part import Part
from assay.recipe.row_parts import AddedRows, Made, Mended, Rows, Weighted
from assay.recipe.where import Where, conditions_of
from assay.tables.predicate import Predicate

__all__ = [
    "FORMAT",
    "AddedRows",
    "Blended",
    "Decision",
    "Derived",
    "Embedding",
    "Estimator",
    "Feature",
    "Made",
    "Mended",
    "Raw",
    "Recipe",
    "Rows",
    "Slice",
    "Tabular",
    "Tfidf",
    "Weighted",
    "Where",
    "conditions_of",
]

FORMAT: Literal[1] = 1


class Estimator(Part):
    """Anything scikit-learn compatible: an import path and its parameters.

    A parameter that is ``None`` is left out, since TOML has no null: the estimator's own
    default then holds.
    """

    path: str
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _without_nulls(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in parameters.items() if value is not None}


class _Model(Part):
    """Features, the estimator that reads them, and how its predictions are adjusted.

    Attributes
    ----------
    rarity
        Class probabilities are divided by the class's share of the training rows to this power
        (logit adjustment; Menon et al. 2021): 0 leaves them, 1 treats classes as equally common.
    log_target
        Whether a regression learns the logarithm of its target, shifted to be positive.
    """

    features: tuple[Feature, ...] = Field(min_length=1)
    estimator: Estimator
    rarity: float = Field(default=0.0, ge=0, le=2)
    log_target: bool = False

    @field_validator("features")
    @classmethod
    def _raw_alone(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        if len(features) > 1 and any(isinstance(each, Raw) for each in features):
            raise ValueError("raw columns stand beside no other feature")
        return features


Edited = TypeVar("Edited", bound=_Model)


class Blended(_Model):
    """A further model whose predictions are averaged with the recipe's own.

    Attributes
    ----------
    weight
        How much it counts; the recipe's own model counts 1.
    """

    weight: float = Field(default=1.0, gt=0)


class Decision(Part):
    """How a probability becomes a class where there are two.

    The threshold is chosen on predictions for training rows that the model did not see (cross-
    fitting), never on the rows that are judged. Elkan (2001) gives the threshold of given
    costs where probabilities are right; choosing it makes up for those that are not.

    Attributes
    ----------
    aim
        ``cost``: the least cost in all; ``macro_f1``: the greatest mean of the classes' F1.
    false_alarm, miss
        What it costs to call a row the positive class wrongly, and not to call one that is.
    folds
        Parts of the training rows that are predicted by a model of the others.
    """

    aim: Literal["cost", "macro_f1"] = "cost"
    false_alarm: float = Field(default=1.0, gt=0)
    miss: float = Field(default=1.0, gt=0)
    folds: int = Field(default=5, ge=2)

    @property
    def stated(self) -> float:
        """The threshold where probabilities are right."""
        return self.false_alarm / (self.false_alarm + self.miss)


class _Head(Part):
    """What a recipe's text begins with."""

    format: Literal[1] = FORMAT
    rows: Rows = Rows()


class Recipe(_Model, _Head):
    """How a model is built: rows in, features, estimator; and models blended with it.

    Attributes
    ----------
    decision
        How the classes are told from the probabilities; None takes the likeliest.
    """

    blend: tuple[Blended, ...] = ()
    decision: Decision | None = None

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this recipe's content."""
        content = json.dumps(self.plain(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def with_parameters(self, **parameters: Any) -> Recipe:
        """Return this recipe with some of the estimator's parameters replaced."""
        merged = {**self.estimator.parameters, **parameters}
        return self.with_estimator(self.estimator.path, **merged)

    def with_estimator(self, path: str, **parameters: Any) -> Recipe:
        """Return this recipe with another estimator."""
        return self.model_copy(update={"estimator": Estimator(path=path, parameters=parameters)})

    def with_features(self, *features: Feature) -> Recipe:
        """Return this recipe with other features."""
        return self.model_copy(update={"features": features})

    def with_feature(self, feature: Feature) -> Recipe:
        """Return this recipe with a feature beside its own; itself where it has it."""
        return self if feature in self.features else self.with_features(*self.features, feature)

    def with_each_feature(self, edit: Callable[[Feature], Feature | None]) -> Recipe:
        """Return this recipe with every model's features edited, None leaving one out.

        A model that would have none left to read keeps its own.
        """

        def of(model: Edited) -> Edited:
            left = tuple(each for each in map(edit, model.features) if each is not None)
            return model.model_copy(update={"features": left}) if left else model

        return of(self).model_copy(update={"blend": tuple(of(each) for each in self.blend)})

    def blended_with(self, *others: tuple[float, Recipe]) -> Recipe:
        """Return this recipe with the models of ``others`` averaged in, each by its weight."""
        blend = [
            Blended(
                features=each.features,
                estimator=each.estimator,
                rarity=each.rarity,
                log_target=each.log_target,
                weight=weight,
            )
            for weight, each in others
        ]
        return self.model_copy(update={"blend": (*self.blend, *blend)})

    @property
    def all_features(self) -> tuple[Feature, ...]:
        """The features of every model, each once."""
        blended = [feature for each in self.blend for feature in each.features]
        return tuple(dict.fromkeys((*self.features, *blended)))

    @property
    def members(self) -> tuple[tuple[float, Recipe], ...]:
        """Its own model with weight 1, then the blended ones, each as a recipe of its own."""
        alone = self.model_copy(update={"blend": (), "decision": None})
        others = [
            (
                each.weight,
                alone.model_copy(
                    update={name: getattr(each, name) for name in _Model.model_fields}
                ),
            )
            for each in self.blend
        ]
        return ((1.0, alone), *others)

    def with_added(self, *added: AddedRows) -> Recipe:
        """Return this recipe with more rows voted into the training set."""
        rows = self.rows.model_copy(update={"added": (*self.rows.added, *added)})
        return self.model_copy(update={"rows": rows})

    def with_made(self, *made: Made) -> Recipe:
        """Return this recipe with more rows made from its training rows."""
        rows = self.rows.model_copy(update={"made": (*self.rows.made, *made)})
        return self.model_copy(update={"rows": rows})

    def with_weight(self, predicate: Predicate, factor: float) -> Recipe:
        """Return this recipe with the rows that ``predicate`` selects weighing ``factor`` more."""
        weighted = (*self.rows.weighted, Weighted.of(predicate, factor))
        return self.model_copy(update={"rows": self.rows.model_copy(update={"weighted": weighted})})

    def with_costs(self, *, false_alarm: float, miss: float) -> Recipe:
        """Return this recipe with the threshold at which mistakes cost least (two classes)."""
        return self.with_decision(Decision(false_alarm=false_alarm, miss=miss))

    def with_threshold(self, aim: Literal["cost", "macro_f1"] = "cost") -> Recipe:
        """Return this recipe with its threshold chosen for ``aim``, both mistakes costing 1."""
        return self.with_decision(Decision(aim=aim))

    def with_decision(self, decision: Decision | None) -> Recipe:
        """Return this recipe with another way from probabilities to classes."""
        return self.model_copy(update={"decision": decision})
