"""Synthesis as a source of proposals for ``assay improve``."""

from __future__ import annotations

from collections.abc import Iterator

from assay.recipe import Observation, Proposal
from assay.synth.candidates import made_candidates
from assay.synth.constraints import read_stated
from assay.synth.lacking import Scarcity, scarcities
from assay.synth.methods import AUTO, chosen_methods


class SynthesisSource:
    """Rows made where they are lacking, without a language model, inside each fold.

    It is asked only where ``assay.toml`` says ``propose = true`` under ``settings.synth``: making
    and sifting rows in every fold takes minutes where there are thousands of them. What the
    project's ``constraints.toml`` says holds in every row.
    """

    name = "synth"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield doses for what :func:`assay.synth.lacking.scarcities` sees.

        Every method is tried on a class; on slices and corners, whose rows are few, the first.
        """
        task, stated = observation.task, read_stated(observation.constraints)
        for lacking in scarcities(observation.search, task, observation.ledger):
            methods = chosen_methods(AUTO, task, lacking.class_name)
            for each in made_candidates(
                methods if lacking.kind == "class" else methods[:1],
                lacking.doses,
                class_name=lacking.class_name,
                where=lacking.where,
                constraints=stated,
            ):
                yield Proposal(
                    f"made rows{_told(lacking)}: {each.name}",
                    lacking.why,
                    each.origin,
                    each.apply,
                )


def _told(lacking: Scarcity) -> str:
    """Return of which rows, as the fixes of a diagnosis name them: the same is proposed once."""
    of = f" of {lacking.class_name}" if lacking.class_name is not None else ""
    return f"{of} where {lacking.where.words}" if lacking.where.conditions else of
