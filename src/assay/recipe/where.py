"""Conditions on rows, as parts of a recipe."""

from __future__ import annotations

from pydantic import model_validator

from assay.errors import InputError
from assay.recipe.part import Part
from assay.tables.predicate import Condition, Operator, Predicate


class Where(Part):
    """One condition on a row; see :class:`assay.tables.Condition`."""

    column: str
    operator: Operator
    value: str | bool | float | None = None
    trait: str | None = None

    @model_validator(mode="after")
    def _usable(self) -> Where:
        try:
            self.condition()
        except InputError as error:
            raise ValueError(error.problem) from error
        return self

    def condition(self) -> Condition:
        """Return the condition that picks the rows."""
        return Condition(self.column, self.operator, self.value, self.trait)


def conditions_of(predicate: Predicate) -> tuple[Where, ...]:
    """Return a predicate as parts of a recipe, the same for conditions in any order."""
    return tuple(sorted((Where(**each.as_dict()) for each in predicate.conditions), key=repr))


def predicate_of(where: tuple[Where, ...]) -> Predicate:
    """Return parts of a recipe as the predicate that they say."""
    return Predicate(tuple(each.condition() for each in where))
