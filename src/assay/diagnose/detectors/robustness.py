"""Answers that change when a text is changed in ways that should not matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import polars as pl

from assay.diagnose.case import Case, Floats
from assay.diagnose.detectors.wordings import with_other_names, written_out
from assay.diagnose.means import mean_above
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.seeds import derive_seed
from assay.synth.capabilities import swapped

CODE = "AS601"
TOLERATED = 0.05
"""Share of answers that may change before it is told."""

FEWEST = 30
MOST_ROWS = 2_000
ONE_WORD_IN = 8


@dataclass(frozen=True)
class RobustnessDetector:
    """Invariance tests of texts (CheckList; Ribeiro et al. 2020). It needs the model at hand."""

    name: str = "robustness"
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "answers that change with what should not matter"}
    )

    def detect(self, part: Case) -> Search:
        """Return the changes to which answers of the discovery part are not invariant."""
        what = "answers before and after typing errors, other case, marks, names and wording"
        if part.predict is None:
            return Search(0, what, skipped="the model is not at hand, only its predictions")
        if part.task.text is None:
            return Search(0, what, skipped="the rows hold no text")
        if part.n < FEWEST:
            return Search(0, what, skipped=f"{part.n} rows to look at are too few")
        suspicions = tuple(
            _suspicion(name)
            for name in CHANGES
            if (found := _changed(part, name))[0].n >= FEWEST and float(found[1].mean()) > TOLERATED
        )
        return Search(len(CHANGES), what, suspicions)


def _suspicion(name: str) -> Suspicion:
    def confirm(unseen: Case) -> Evidence | None:
        touched, differs = _changed(unseen, name)
        if touched.n < FEWEST:
            return None
        return mean_above(
            touched, differs, name=f"share of answers that change with {name}", bar=TOLERATED
        )

    return Suspicion(
        code=CODE,
        title=f"answers change with {name}",
        cause="the model reads the exact form of words",
        confirm=confirm,
        remedies=(
            Remedy("feature", "read pieces of words or sentence embeddings beside the words"),
            Remedy("collect", "train on rows changed in the same way"),
        ),
        judged=False,
    )


def _changed(part: Case, name: str) -> tuple[Case, Floats]:
    """Return the rows whose text the change touches, of at most 2,000, and 1 for other answers."""
    some = part.head(MOST_ROWS)
    random = np.random.default_rng(derive_seed(part.seed, "robustness", name))
    texts = pl.Series(str(some.task.text), [CHANGES[name](each, random) for each in some.texts])
    places = np.flatnonzero(texts.to_numpy() != np.asarray(some.texts, dtype=object))
    touched = some.take(places)
    if not len(places):
        return touched, np.zeros(0)
    rows = touched.rows.with_columns(texts[places])
    differs = touched.asked(rows) != touched.asked(touched.rows)
    return touched, np.asarray(differs, dtype=np.float64)


def with_typing_errors(text: str, random: np.random.Generator) -> str:
    """Return the text with two neighbouring letters swapped in one of eight words."""
    words = text.split(" ")
    for at in np.flatnonzero(random.random(len(words)) < 1 / ONE_WORD_IN).tolist():
        word = words[at]
        if len(word) > 3 and word.isalpha():
            words[at] = swapped(word, int(random.integers(1, len(word) - 2)))
    return " ".join(words)


def _without_final_mark(text: str, _: np.random.Generator) -> str:
    return text.rstrip().rstrip(".!?")


def _cased(change: Callable[[str], str], text: str, _: np.random.Generator) -> str:
    return change(text)


CHANGES: dict[str, Callable[[str, np.random.Generator], str]] = {
    "typing errors": with_typing_errors,
    "lower case": partial(_cased, str.lower),
    "upper case": partial(_cased, str.upper),
    "the last mark left out": _without_final_mark,
    "contractions written out": written_out,
    "other first names": with_other_names,
}
"""What should not matter to most tasks, by what it is called."""
