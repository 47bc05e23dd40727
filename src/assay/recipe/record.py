"""What every run that judges recipes puts on record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.evidence import Evidence, Verdict
from assay.ledger import Ledger
from assay.recipe.spec import Recipe
from assay.recipe.text import recipe_to_toml


@dataclass(frozen=True)
class RunRecord:
    """One run in the ledger."""

    id: str
    ledger: Ledger

    def evidence(self, fact: Evidence) -> Evidence:
        """Record ``fact`` and return it with its id; a recorded fact stays as it is."""
        if fact.id is not None:
            return fact
        return fact.with_id(self.ledger.record("evidence", fact.as_dict(), run=self.id))

    def verdict(self, verdict: Verdict) -> Verdict:
        """Record every fact of ``verdict``."""
        return replace(verdict, evidence=tuple(self.evidence(each) for each in verdict.evidence))

    def recipe(self, recipe: Recipe) -> str:
        """Keep the recipe's text as an artefact; return its id."""
        return self.ledger.put_artefact(
            recipe_to_toml(recipe).encode(),
            name=f"recipe-{recipe.hash}.toml",
            media_type="application/toml",
            run=self.id,
        )
