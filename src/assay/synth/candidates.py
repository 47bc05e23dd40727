"""What is tried without a language model: one list, for the product and for its benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from assay.project.settings import Synth
from assay.recipe import Made, Recipe
from assay.synth.constraints import Constraint
from assay.synth.judging import Candidate
from assay.synth.methods import made_by
from assay.synth.spec import EVERY_ROW
from assay.tables.predicate import Predicate


def made_candidates(
    methods: Sequence[str],
    doses: Sequence[float],
    *,
    class_name: str | None = None,
    where: Predicate = EVERY_ROW,
    settings: Synth | None = None,
    constraints: Sequence[Constraint] | None = None,
) -> Iterator[Candidate]:
    """Yield every method at every dose, made anew in each fold.

    Parameters
    ----------
    methods
        Those that ask no language model; see :func:`assay.synth.methods.chosen_methods`.
    constraints
        What must hold in every made row; None where it is mined from a fold's own rows.
    """
    for method in methods:
        for dose in doses:
            made = made_by(
                method,
                dose,
                class_name=class_name,
                where=where,
                settings=settings,
                constraints=constraints,
            )
            yield Candidate(method, dose, f"rule:{method}", partial(with_dose, made))


def with_dose(made: Made, recipe: Recipe) -> Recipe:
    """Return ``recipe`` with this dose in place of others of its method and class.

    What the others were held to, as a ``constraints.toml`` that has changed since, goes with them.
    """
    others = tuple(each for each in recipe.rows.made if _kind(each) != _kind(made))
    rows = recipe.rows.model_copy(update={"made": (*others, made)})
    return recipe.model_copy(update={"rows": rows})


def _kind(made: Made) -> tuple[object, ...]:
    return made.path, made.parameters.get("method"), made.class_name, made.where
