"""Run the loop on a project with slow scripted proposals; meant to be killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from assay import Project, improve
from assay.recipe import Observation, Proposal


class ManySource:
    """Offers twelve strengths of regularisation."""

    name = "many"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield them."""
        for power in range(-6, 6):
            yield Proposal(
                f"C = 2^{power}",
                "a test",
                "rule:test",
                lambda recipe, power=power: recipe.with_parameters(C=2.0**power),
            )


if __name__ == "__main__":
    result = improve(
        Project.open(sys.argv[1]),
        sources=[ManySource()],
        on_event=lambda event: print(type(event).__name__, flush=True),
    )
    print("tried", len(result.attempts), flush=True)
