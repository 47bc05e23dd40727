"""Answers that become surer when what a text says is negated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.synth.capabilities import VERBS, negated

CODE = "AS604"
TOLERATED = 0.05
"""Share of negated texts on which the answer may become surer before it is told."""
RISE = 0.05
"""How much surer, in probability, counts."""
FEWEST = 30
MOST_ROWS = 2_000
MOST_WORDS = 25
OPPOSITES = (
    {"positive", "negative"}, {"pos", "neg"}, {"good", "bad"}, {"praise", "complaint"},
    {"like", "dislike"}, {"happy", "unhappy"}, {"favourable", "unfavourable"},
    {"favorable", "unfavorable"}, {"satisfied", "dissatisfied"},
)  # fmt: skip
"""Names of two classes of which one says no to the other."""
TURNS = re.compile(
    r"n['\N{RIGHT SINGLE QUOTATION MARK}]t\b|\b(?:not|cannot|no|never|nothing|nobody|neither|nor|"
    r"hardly|without|but|though|although|however|yet|if)\b|\?|[.!;:]\s+\S",
    re.IGNORECASE,
)
"""What makes it unclear whether "not" turns the text into its opposite."""


@dataclass(frozen=True)
class NegationDetector:
    """A directional test of texts (CheckList; Ribeiro et al. 2020). It needs the model at hand.

    Of two classes that are opposites, "not" in a short plain sentence must not make the model surer
    of the answer that it gave without it.

    Attributes
    ----------
    always
        Whether two classes are taken for opposites whatever their names.
    """

    name: str = "negation"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "answers that become surer when a text is negated"}
    )
    always: bool = False

    def detect(self, part: Case) -> Search:
        """Return one suspicion where answers of the discovery part become surer."""
        what = "answers before and after short sentences are negated"
        why = self._cannot(part)
        if why:
            return Search(0, what, skipped=why)
        touched, surer = _surer(part)
        if touched.n < FEWEST:
            return Search(0, what, skipped=f"{touched.n} short sentences to negate are too few")
        if float(surer.mean()) <= TOLERATED:
            return Search(touched.n, what)
        suspicion = Suspicion(
            code=CODE,
            title="answers become surer when a text is negated",
            cause="the model reads words without what they are said of",
            confirm=_confirm,
            remedies=(
                Remedy("feature", "read pairs of words, or sentence embeddings, beside the words"),
                Remedy("collect", "label more texts that say no"),
            ),
            judged=False,
        )
        return Search(touched.n, what, (suspicion,))

    def _cannot(self, part: Case) -> str:
        if part.task.text is None:
            return "the rows hold no text"
        names = {each.casefold() for each in part.task.class_names}
        if names not in OPPOSITES and not (self.always and len(names) == 2):
            return "the classes are not two that are opposites by their names"
        if part.state is None:
            return "a model that states probabilities is not at hand"
        return ""


def _confirm(unseen: Case) -> Evidence | None:
    touched, surer = _surer(unseen)
    if touched.n < FEWEST:
        return None
    name = "share of negated texts on which the answer becomes surer"
    return mean_above(touched, surer, name=name, bar=TOLERATED)


def _surer(part: Case) -> tuple[Case, Floats]:
    """Return the rows whose text can be negated, at most 2,000, and 1 for surer answers."""
    places = [at for at, text in enumerate(part.texts) if can_be_negated(text)][:MOST_ROWS]
    touched = part.take(np.array(places, dtype=np.intp))
    if part.state is None or not places:
        return touched, np.zeros(0)
    texts = pl.Series(str(part.task.text), [negated(each) for each in touched.texts])
    before = part.state(touched.rows)
    after = part.state(touched.rows.with_columns(texts))
    if before is None or after is None:
        return touched, np.zeros(touched.n)
    rows, said = np.arange(touched.n), before.argmax(axis=1)
    return touched, np.asarray(after[rows, said] - before[rows, said] > RISE, dtype=np.float64)


def can_be_negated(text: str) -> bool:
    """Whether "not" after its only auxiliary verb turns a text into its opposite, by rule."""
    short = len(text.split()) <= MOST_WORDS
    return short and len(VERBS.findall(text)) == 1 and TURNS.search(text.rstrip()) is None
