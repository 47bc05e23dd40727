"""Explaining an examination: each finding shown, asked about, and what is said tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.diagnose.explain import contrast, writing
from assay.diagnose.explain.exhibit import Exhibit
from assay.diagnose.explain.spec import Explained, Idea
from assay.diagnose.explain.testing import Proposed, tested
from assay.diagnose.harness import Examination
from assay.diagnose.models import Ask
from assay.errors import AssayError
from assay.llm.registry import EMBEDDED

if TYPE_CHECKING:
    from assay.llm import Gateway
    from assay.llm.forecast import Estimate

MOST = 10
"""Findings that are explained, the costliest first."""

Consent = Callable[["Estimate"], bool]
"""Told what asking would take, before anything is sent; whether to ask."""


def explain(
    examination: Examination,
    gateway: Gateway,
    model: str,
    *,
    consent: Consent | None = None,
    withheld: Sequence[str] = (),
    ask: Ask | None = None,
) -> Explained:
    """Return hypotheses about the costliest findings about rows, tested on unseen rows.

    The embedded model writes no free text: its hypotheses are conjunctions of values, traits and
    telling terms, under the same test.

    Parameters
    ----------
    consent
        By default whatever the gateway's budget allows is asked.
    withheld
        Columns that are not shown.
    ask
        The model that is diagnosed, for hypotheses that are tested on made rows; without it none
        are asked for.
    """
    shown = {
        place: exhibit
        for place, found in enumerate(examination.found[:MOST])
        if (exhibit := Exhibit.of(found, withheld, changes=ask is not None)) is not None
    }
    skipped: list[str] = []
    exhibits = list(shown.values())
    if model == EMBEDDED:
        said: Sequence[Sequence[Idea]] = [contrast.ideas(each) for each in exhibits]
    else:
        said = _asked(gateway, model, exhibits, consent, skipped)
    proposed = [
        Proposed(place, examination.found[place], idea)
        for place, ideas in zip(shown, said, strict=True)
        for idea in ideas
    ]
    diagnosis = examination.diagnosis
    return Explained(
        model,
        tested(proposed, fdr=diagnosis.fdr, least=diagnosis.min_effect, ask=ask),
        tuple(skipped),
        0.0 if model == EMBEDDED else gateway.spend.money,
    )


def _asked(
    gateway: Gateway,
    model: str,
    exhibits: Sequence[Exhibit],
    consent: Consent | None,
    skipped: list[str],
) -> list[list[Idea]]:
    """Return the model's ideas for each exhibit; none, and why, where it gave no valid answer."""
    nothing: list[list[Idea]] = [[] for _ in exhibits]
    if not exhibits:
        return nothing
    prompts = [writing.prompt(each) for each in exhibits]
    try:
        if consent is not None:
            estimate = gateway.estimate(model, prompts, writing.WrittenHypotheses)
            if not consent(estimate):
                skipped.append("the model was not asked")
                return nothing
        answers = gateway.generate(model, prompts, writing.WrittenHypotheses)
    except AssayError as error:  # the findings stand without their explanations
        skipped.append(str(error))
        return nothing
    skipped += [answers.why.get(place, "no valid answer") for place in sorted(answers.why)]
    return [
        writing.ideas(answer, exhibit) if isinstance(answer, writing.WrittenHypotheses) else []
        for answer, exhibit in zip(answers, exhibits, strict=True)
    ]


def check_model(gateway: Gateway, model: str) -> None:
    """Raise, before a long search, what asking the model would raise: no key, no such provider."""
    if model != EMBEDDED:
        gateway.estimate(model, [], writing.WrittenHypotheses)


@contextmanager
def without_project(models: Any = None) -> Iterator[Gateway]:
    """Yield a gateway whose answers are kept in the user's cache folder."""
    from assay.label.open import unowned_ledger
    from assay.llm import Gateway

    with unowned_ledger() as ledger, Gateway(ledger, models=models, capability="diagnose") as door:
        yield door
