"""Fits the annotators of one class a row, and measures what each step adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assay.label.single.annotators import Annotator, ModelAnnotator, label_free
from assay.label.single.beside import Unlabelled, with_tuned_student
from assay.label.single.checked_rows import ExampleAnnotator, Nearby, NeighbourAnnotator
from assay.label.single.fitted import FittedSingle, Votes, embedded, total
from assay.label.single.frequencies import CLASS_SHARES
from assay.label.single.measure import (
    FEWEST_GOLD,
    enough,
    gain,
    held_out,
    joined,
    right,
)
from assay.label.single.no_gold import agreeing, under_estimated_shares
from assay.label.single.scores import Codes, Scores, softmax
from assay.label.single.student import parts_of, taught
from assay.label.single.truth import Truth
from assay.label.single.tuned import Known
from assay.label.single.weighing import learned, temperature
from assay.label.spec import UNANSWERED, Checked, Gold, LabelSettings, Step
from assay.label.task import LabelTask
from assay.llm import Gateway

EXAMPLES = 4
EMBEDDER = "local:minilm"
"""The one that can be fine-tuned."""
FEWEST_TO_TEST = 50
"""Below this many gold rows a costly step has no chance to show that it helps."""


def fit_single(
    texts: Sequence[str],
    gold: Gold | None,
    task: LabelTask,
    gateway: Gateway,
    settings: LabelSettings,
) -> FittedSingle:
    """Learn from unlabelled texts and from gold how much each annotator counts.

    Where gold teaches no weights, class shares are estimated as without gold.
    """
    everything = [*texts, *(gold.texts if gold is not None else [])]
    fitted, votes = fit_label_free(everything, task, gateway, settings)
    if gold is not None and len(gold) >= FEWEST_GOLD:
        rows = Unlabelled(list(texts), votes.only(np.arange(len(texts))))
        found = weighed(fitted, gold, gateway, rows)
        if found.weights is not None:
            return found
    alone = under_estimated_shares(fitted, votes, parts_of(everything))
    return alone if gold is None or not len(gold) else weighed(alone, gold, gateway)


def fit_label_free(
    everything: Sequence[str], task: LabelTask, gateway: Gateway, settings: LabelSettings
) -> tuple[FittedSingle, Votes]:
    """Learn from texts alone what each annotator says too often, and teach the student.

    Returns
    -------
    fitted
        The annotators without weights.
    votes
        What they say of the texts.
    """
    plain = embedded(everything, task, settings, gateway)
    annotators, scores, why = _asked(
        label_free(task, settings.models[0], gateway, settings), everything, gateway
    )
    bare = FittedSingle(
        task=task,
        settings=settings,
        annotators=tuple(annotators),
        centre=plain.mean(axis=0) if len(plain) else np.zeros(0),
        student=None,
        weights=None,
        temperature=1.0,
        checked=None,
        steps=(),
    )
    taught_by = np.nansum(scores, axis=0)
    fitted = replace(bare, student=taught(taught_by, plain, parts_of(everything)))
    return fitted, fitted.votes_of(everything, scores, plain, why)


def _asked(
    annotators: Sequence[Annotator], texts: Sequence[str], gateway: Gateway
) -> tuple[list[Annotator], list[Scores], dict[int, str]]:
    settled, scores = [], []
    why: dict[int, str] = {}
    for annotator in annotators:
        raw, failed = annotator.ask(texts, gateway)
        settled.append(annotator.settled(raw))
        scores.append(settled[-1].scores(raw))
        why.update(failed)
    return settled, scores, why


def weighed(
    fitted: FittedSingle,
    gold: Gold,
    gateway: Gateway,
    rows: Unlabelled | None = None,
    *,
    told: bool = True,
) -> FittedSingle:
    """Return the annotators with the weights that gold teaches, and what it measures.

    Parameters
    ----------
    rows
        What the fine-tuned student learns from; without them there is none.
    told
        Measure the steps one by one, which takes most of the time.
    """
    votes = fitted.votes(gold.texts, gateway)
    first = _answered(votes)
    gold, votes = gold.only(first.tolist()), votes.only(first)
    if not gold.measures:
        return replace(fitted, steps=(*fitted.steps, UNANSWERED))
    truth = Truth.of(gold, fitted.task)
    steps: list[Step] = []
    if fitted.weights is None:  # else these are of class shares, and gold teaches nothing
        fitted, votes, steps = _without_a_harmful_student(fitted, votes, truth)
    unaided = votes
    if fitted.weights is None or len(truth.drawn) < FEWEST_TO_TEST:
        fitted, votes, more = _with_gold_annotators(fitted, votes, gold, truth, gateway)
        steps += more
    answered = _answered(votes)
    votes, truth = votes.only(answered), truth.only(answered)
    weights = fitted.weights
    scores = total(votes, weights)
    if enough(truth):
        scores = held_out(votes, truth, fitted.settings)
        weights = learned(votes.scores, votes.embeddings, truth.codes, truth.teaching)
    ran = joined(votes, truth, fitted.settings, steps) if told else tuple(steps)
    ran += tuple(
        replace(each, accuracy=right(scores, truth))
        for each in fitted.steps
        if each.name == CLASS_SHARES and each.used
    )
    if weights is not None and rows is not None and _tunes(fitted, truth):
        texts = [gold.texts[row] for row in answered]
        known = Known(texts, unaided.only(answered), truth)
        fitted, weights, scores, step = with_tuned_student(
            fitted, weights, scores, known, rows, gateway
        )
        ran = (*ran, step)
    factor = agreeing(votes) if fitted.weights is None else fitted.temperature
    if len(truth.drawn) >= FEWEST_GOLD:
        factor = temperature(scores, truth.codes, truth.measuring)
    return replace(
        fitted,
        weights=weights,
        temperature=factor,
        checked=_checked(gold, answered, truth, softmax(factor * scores), fitted.task),
        steps=ran,
    )


def _answered(votes: Votes) -> Codes:
    """Return the rows of which every annotator said something."""
    return np.flatnonzero(np.isfinite(votes.scores).all(axis=(0, 2)))


def _tunes(fitted: FittedSingle, truth: Truth) -> bool:
    """Return whether a fine-tuned student is wanted, and gold can show that it harms."""
    return tunes(fitted.settings, len(truth.drawn))


def tunes(settings: LabelSettings, drawn: int) -> bool:
    """Return whether the settings want an encoder tuned, given so many drawn gold rows."""
    wanted = settings.student == "fine-tuned" and settings.embed == EMBEDDER
    return wanted and drawn >= FEWEST_TO_TEST


def _without_a_harmful_student(
    fitted: FittedSingle, votes: Votes, truth: Truth
) -> tuple[FittedSingle, Votes, list[Step]]:
    """Return the annotators less the student where gold proves that it makes things worse.

    The sign alone says little with fifty checked rows: it drops students that help.
    """
    if fitted.student is None or len(truth.drawn) < FEWEST_TO_TEST:
        return fitted, votes, []
    others = votes.upto(len(fitted.annotators))
    found = gain(others, "student", votes.scores[-1], truth, fitted)
    if found is None or found.evidence.interval.high >= 0:
        return fitted, votes, []
    return replace(fitted, student=None), others, [found.step("student")]


def _with_gold_annotators(
    fitted: FittedSingle, votes: Votes, gold: Gold, truth: Truth, gateway: Gateway
) -> tuple[FittedSingle, Votes, list[Step]]:
    """Return the annotators with those that gold rows feed and the evidence keeps."""
    steps: list[Step] = []
    for name, candidate in _gold_annotators(fitted, gold, truth.codes, gateway):
        if len(truth.drawn) < FEWEST_TO_TEST:
            why = f"skipped: {len(truth.drawn)} checked rows cannot show that it helps"
            steps.append(Step(name, False, why))
            continue
        raw, _ = candidate.ask(gold.texts, gateway)
        settled = candidate.settled(raw)
        found = gain(votes, name, settled.scores(raw), truth, fitted)
        if found is None:
            steps.append(Step(name, False, "skipped: too few checked rows of one class to tell"))
            continue
        steps.append(found.step(name))
        if found.kept:
            fitted = replace(fitted, annotators=(*fitted.annotators, settled))
            votes = fitted.votes(gold.texts, gateway)
    return fitted, votes, steps


def _gold_annotators(
    fitted: FittedSingle, gold: Gold, codes: Codes, gateway: Gateway
) -> list[tuple[str, Annotator]]:
    task, settings = fitted.task, fitted.settings
    plain = embedded(gold.texts, task, settings, gateway)
    nearby = Nearby(gold.texts, codes, plain)
    found: list[tuple[str, Annotator]] = []
    if settings.neighbours:
        near = NeighbourAnnotator(task, settings.embed, nearby, settings.neighbours)
        found.append(("neighbours", near))
    count = settings.examples
    if count is None:
        count = 0 if gateway.is_here(settings.models[0]) else EXAMPLES
    if count:
        asked = ModelAnnotator.of(task, settings.models[0], gateway, settings)
        asked = replace(asked, wordings=asked.wordings[:1])
        shown = ExampleAnnotator(asked, settings.embed, nearby, count)
        found.append(("examples", shown))
    return found


def _checked(gold: Gold, rows: Codes, truth: Truth, shares: Scores, task: LabelTask) -> Checked:
    said = shares.argmax(axis=1)
    names = task.class_names
    return Checked(
        row_ids=[gold.rows["row_id"][int(row)] for row in rows],
        truth=[names[code] for code in truth.codes],
        labels=[names[code] for code in said],
        probability=shares.max(axis=1),
        correct=np.asarray(said == truth.codes),
        weights=truth.measuring,
    )
