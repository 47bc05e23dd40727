"""What a search says in words: the headline, the promise, and what to mind."""

from __future__ import annotations

from dataclasses import dataclass

from assay.evidence.figures import estimate_text, gain_text, span
from assay.experiment.result import ExperimentResult


@dataclass(frozen=True)
class Story:
    """The sentences of a report."""

    headline: str
    claim: str
    caution: str


def tell(result: ExperimentResult) -> Story:
    """Return the sentences that ``result`` warrants, and no more."""
    return Story(_headline(result), _claim(result), _caution(result))


def _headline(result: ExperimentResult) -> str:
    if result.chosen is None:
        return "No recipe could be judged in full."
    name = result.chosen.name
    if result.improved:
        return f"The vault confirms the {name} recipe; recipe.toml is now it."
    if result.promised is not None:
        return f"The vault does not confirm the {name} recipe; recipe.toml is as it was."
    if result.unjudged:
        return (
            f"The {name} recipe could not be compared with the project's; recipe.toml is as it was."
        )
    if result.verdict is None:
        return "Nothing beats the project's recipe clearly enough to replace it."
    if result.verdict.kept:
        return f"The {name} recipe is better on fresh folds; the vault has not been asked."
    return f"The {name} recipe is no clear gain on fresh folds; recipe.toml is as it was."


def _claim(result: ExperimentResult) -> str:
    promised, verdict = result.promised, result.verdict
    if promised is not None and promised.after is not None:
        figure = promised.after
        gain = promised.verdict.main
        begin = "What it promises is the vault's figure" if result.improved else "In the vault"
        return (
            f"{begin}: {figure.name} {estimate_text(figure)} (95% interval {span(figure)}) on "
            f"{figure.n:,} rows that no search has read, a gain of {gain_text(gain)}."
        )
    if promised is not None:
        return promised.verdict.reason
    if verdict is not None:
        return verdict.reason
    if result.unjudged:
        return _why_unjudged(result)
    return "" if result.chosen is None else f"Chosen: {result.chosen.why}."


def _why_unjudged(result: ExperimentResult) -> str:
    failed = [each for each in result.standings if each.origin == "recipe" and each.reason]
    told = f"The project's own recipe failed in the search: {failed[0].reason}. " if failed else ""
    return told + "What one fit may take, --fit-seconds and --memory say."


def _caution(result: ExperimentResult) -> str:
    tried = len(result.standings)
    told = f"{tried:,} recipes were tried, {len(result.finished):,} judged in full. "
    if result.claimed is None:
        return told.strip()
    told += f"In the search the choice scored {estimate_text(result.claimed)}, on fresh folds "
    told += "nothing" if result.screened is None else estimate_text(result.screened)
    if result.task.time is not None:
        told += " (the same rows, the borders between their blocks of time drawn anew)"
    return told + ": the best of many flatters, so quote neither."
