"""What a synthesis found, in sentences."""

from __future__ import annotations

from assay.evidence import Evidence
from assay.synth.result import Batch, Dose, SynthesisResult


def subject(result: SynthesisResult) -> str:
    """Return of what rows were made."""
    of = "the whole table" if result.class_name is None else f"{result.class_name!r}"
    return f"{of} where {result.where}" if result.where else of


def headline(result: SynthesisResult) -> str:
    """Return the outcome in one line."""
    if result.chosen is not None and not result.chosen.dose:
        end = "and the vault confirms it" if result.helped else "by the screen alone"
        return f"{subject(result)} needs no made rows: {result.chosen.name} does more, {end}."
    if result.helped and result.chosen is not None:
        return f"Made rows of {subject(result)} help, and the vault confirms it."
    if result.chosen is not None and result.confirmed is not None:
        return "A dose passed the screen; the vault did not confirm it."
    if result.chosen is not None:
        return "A dose passed the screen; it is not confirmed."
    if not result.doses:
        return f"Too few made rows of {subject(result)} passed the filters to try them."
    if any(each.verdict.decision == "undecided" for each in result.doses):
        return f"Nothing could be proven to help {subject(result)}."
    return f"None of it helped {subject(result)}."


def tell(result: SynthesisResult) -> list[str]:
    """Return the paragraphs under the headline."""
    told = _lacking(result)
    if result.chosen is not None:
        told.append(f"Kept: {_amount(result.chosen, result)}. {result.chosen.verdict.reason}")
        told += [_cheaper(each) for each in result.doses if each.verdict.kept and not each.dose]
        if result.chosen.over:
            place = "on top" if result.chosen.dose else "in place"
            told.append(f"That comes {place} of {result.chosen.over}.")
    if result.confirmed is not None:
        told.append(f"On the vault: {result.confirmed.verdict.reason}")
    if result.doses and result.chosen is None:
        told.append(
            f"{len(result.doses)} proposals were tried on real held-out rows; p-values are "
            "adjusted for all that were tried together (Benjamini and Hochberg)."
        )
    if result.advice is not None and result.advice.words:
        told.append(result.advice.words)
    return told


def _lacking(result: SynthesisResult) -> list[str]:
    """Return of what rows were made where the user did not say, and where else they are lacking."""
    if not result.lacking:
        return []
    taken, *others = result.lacking
    told = [f"Told of no class and no slice, rows were made of: {taken}."]
    if others:
        told.append(f"Also lacking, for --for-class and --where: {'; '.join(others)}.")
    return told


def _amount(dose: Dose, result: SynthesisResult) -> str:
    if not dose.dose:
        return f"{dose.name}, no made rows"
    return f"{dose.method}, {dose.dose:g} made rows for each of the {result.real_rows} real ones"


def _cheaper(dose: Dose) -> str:
    gain = dose.verdict.main
    return f"Without a made row, {dose.name} gains {gain.estimate:+.4f} {gain.interval}."


def measures(result: SynthesisResult) -> list[str]:
    """Return every measure of the made rows, a line each: alike, different, private, of use."""
    told = []
    if sum(each.kept > 0 for each in result.batches) > 1:
        told.append(f"measured here, and released, are the rows by {result.taken} alone")
    told += [f"{name}: {value:.3g}" for name, value in result.numbers.items()]
    told += [f"{each.name}: {_figure(each, '.2f')}" for each in result.facts]
    if result.privacy is not None:
        told += [f"{each.name}: {_figure(each, '.1%')}" for each in result.privacy.memory]
        if result.privacy.k is not None:
            told.append(f"k-anonymity: {result.privacy.k}")
        told += result.privacy.notes
    if result.utility is None or result.privacy is None:
        return told
    by = f"{result.rehearsed} on half of the rows"
    told += [_attack(each, by) for each in result.privacy.attacks]
    used = result.utility
    for words, each in (
        ("trained on real rows", used.real),
        ("with the made in place of the real ones of the class", used.synthetic),
        ("with both", used.both),
    ):
        told.append(f"{result.task.metric} {words}, {by}: {_figure(each, '.3f')}")
    return told


def _attack(fact: Evidence, by: str) -> str:
    text = f"{fact.name}, {by}: {_figure(fact, '.1%')} beyond its control"
    if "exposure" in fact.details:
        low, high = fact.details["exposure_interval"]
        bits = f"{fact.details['exposure']:.1f} bits [{low:.1f}, {high:.1f}]"
        return f"{text} of {fact.n} planted; exposure {bits}, where 1.4 is nothing and 10 is all"
    if "area" not in fact.details:
        return text
    low, high = fact.details["area_interval"]
    return (
        f"{text} at {fact.details['false_alarms']:.1%} false alarms; "
        f"AUC {fact.details['area']:.2f} [{low:.2f}, {high:.2f}], where .50 is guessing"
    )


def _figure(fact: Evidence, shape: str) -> str:
    low, high = fact.interval.low, fact.interval.high
    return f"{fact.estimate:{shape}} [{low:{shape}}, {high:{shape}}]"


def made(batch: Batch) -> str:
    """Return how many rows a method made and what the filters dropped, with their chief reason."""
    text = f"{batch.method}: {batch.made} made, {batch.kept} kept"
    dropped = [
        f"{each.before - each.after} by {each.filter} ({next(iter(each.why))})"
        for each in batch.filters
        if each.why
    ]
    text += f"; dropped {', '.join(dropped)}" if dropped else ""
    text += "" if batch.filled is None else f"; they fill {batch.filled:.0%} of the plan"
    if batch.epsilon is not None:
        text += f"; differential privacy: epsilon {batch.epsilon:.3g}, delta {batch.delta:.2g}"
    return f"{text}. Stopped early: {batch.stopped}." if batch.stopped else f"{text}."
