"""Synthesis as a source of proposals for ``assay improve``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from assay.recipe import Made, Observation, Proposal, Recipe
from assay.synth.corners import empty_corners
from assay.synth.methods import AUTO, chosen_methods, made_by
from assay.synth.scarcity import class_sizes, rare_classes, up_to_balance

DOSES = (1.0, 4.0)
MOST_CLASSES = 2
MOST_CORNERS = 2


class SynthesisSource:
    """Rows of rare classes and of empty corners, made without a language model inside each fold.

    It is asked only where ``assay.toml`` says ``propose = true`` under ``settings.synth``: making
    and sifting rows in every fold takes minutes where there are thousands of them.
    """

    name = "synth"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield doses for the two rarest classes, up to balance, and the two emptiest corners.

        A class is rare with less than half an even share of the rows.
        """
        yield from self._of_classes(observation)
        yield from self._of_corners(observation)

    def _of_classes(self, observation: Observation) -> Iterator[Proposal]:
        task, rows = observation.task, observation.search
        sizes = class_sizes(rows, task)
        for class_name in rare_classes(rows, task)[:MOST_CLASSES]:
            why = f"{class_name!r} has {sizes[class_name]} of {rows.height:,} rows"
            for method in chosen_methods(AUTO, task, class_name):
                for dose in up_to_balance(DOSES, rows, task, class_name):
                    made = made_by(method, dose, class_name=class_name)
                    yield Proposal(
                        f"made rows of {class_name}: {method} x{dose:g}",
                        why,
                        f"rule:{method}",
                        partial(with_dose, made),
                    )

    def _of_corners(self, observation: Observation) -> Iterator[Proposal]:
        task, rows = observation.task, observation.search
        if task.text is not None:
            return
        method = chosen_methods(AUTO, task, None)[0]
        for corner in empty_corners(rows, task)[:MOST_CORNERS]:
            dose = round(min(corner.expected / corner.rows - 1, max(DOSES)), 1)
            made = made_by(method, dose, where=corner.where)
            yield Proposal(
                f"made rows where {corner.where.words}: {method} x{dose:g}",
                f"{corner.rows} rows lie there; {corner.expected:.0f} would if the two columns "
                "were independent",
                f"rule:{method}",
                partial(with_dose, made),
            )


def with_dose(made: Made, recipe: Recipe) -> Recipe:
    """Return ``recipe`` with this dose in place of others of its method and class."""
    others = tuple(
        each
        for each in recipe.rows.made
        if (each.path, each.class_name, each.where, each.parameters)
        != (made.path, made.class_name, made.where, made.parameters)
    )
    rows = recipe.rows.model_copy(update={"made": (*others, made)})
    return recipe.model_copy(update={"rows": rows})
