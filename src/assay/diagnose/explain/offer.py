"""Rows of a finding that are offered to be changed: of the half that it was confirmed on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.diagnose.case import Case
from assay.diagnose.explain.exhibit import described, shown_columns, shown_rows
from assay.diagnose.explain.pairs import MOST
from assay.diagnose.explain.spec import Idea
from assay.diagnose.harness import Found
from assay.evidence.clt import FEWEST_OF_TWO
from assay.seeds import derive_seed


@dataclass(frozen=True, eq=False)
class Offer:
    """Rows of a finding, at most twelve, drawn whatever the model makes of them.

    They are of the half that the finding was confirmed on, one of each group and of each set of
    copies. Whoever changes them sees what is true of them, not what the model says; the hypothesis
    was stated before, from rows of the other half.

    Attributes
    ----------
    part
        That half.
    places
        Of the rows in it.
    columns
        Those that are shown, and may be changed.
    """

    part: Case
    places: np.ndarray
    columns: tuple[str, ...]

    @classmethod
    def of(cls, found: Found, withheld: Sequence[str] = ()) -> Offer | None:
        """Return what is offered of a finding; None where fewer than five rows can be."""
        part, select = found.unseen, found.suspicion.select
        if select is None:
            return None
        random = np.random.default_rng(derive_seed(part.seed, "diagnose", "rows to change"))
        own = random.permutation(np.flatnonzero(select(part)))
        alone = own[np.sort(np.unique(part.units[own], return_index=True)[1])][:MOST]
        if len(alone) < FEWEST_OF_TWO:
            return None
        return cls(part, alone, shown_columns(part, withheld))

    def text(self, idea: Idea) -> str:
        """Return the hypothesis and the rows, as JSON."""
        rows = shown_rows(self.part, self.places, self.columns)
        shown = {
            "hypothesis": {"name": idea.name, "why the model may fail": idea.words},
            "columns": [described(self.part.rows[name]) for name in self.columns],
            "rows to change": [{"(number)": at} | row for at, row in enumerate(rows, 1)],
        }
        return json.dumps(shown, ensure_ascii=False)
