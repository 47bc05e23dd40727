"""Explaining an examination: each finding shown, asked about, and what is said tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.diagnose.answers import Ask
from assay.diagnose.explain import contrast
from assay.diagnose.explain.asked import Asked, Consent, Said
from assay.diagnose.explain.exhibit import Exhibit
from assay.diagnose.explain.offer import Offer
from assay.diagnose.explain.spec import Explained
from assay.diagnose.explain.testing import Proposed, tested
from assay.diagnose.explain.writing import WrittenHypotheses
from assay.diagnose.harness import Examination
from assay.llm.registry import EMBEDDED

if TYPE_CHECKING:
    from assay.llm import Gateway

MOST = 10
"""Findings that are explained, the costliest first."""


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
        The model that is diagnosed, for hypotheses that are tested on changed rows; without it
        none can be.
    """
    exhibits = {
        place: exhibit
        for place, found in enumerate(examination.found[:MOST])
        if (exhibit := Exhibit.of(found, withheld)) is not None
    }
    skipped: list[str] = []
    if model == EMBEDDED:
        told = {place: contrast.ideas(each) for place, each in exhibits.items()}
        said: Said = [(place, idea) for place, ideas in told.items() for idea in ideas]
    else:
        some = () if ask is None else exhibits
        offers = {place: Offer.of(examination.found[place], withheld) for place in some}
        said = Asked(gateway, model, exhibits, offers, skipped).ideas(consent)
    proposed = [Proposed(place, examination.found[place], idea) for place, idea in said]
    diagnosis = examination.diagnosis
    return Explained(
        model,
        tested(proposed, fdr=diagnosis.fdr, least=diagnosis.min_effect, ask=ask),
        tuple(skipped),
        0.0 if model == EMBEDDED else gateway.spend.money,
    )


def check_model(gateway: Gateway, model: str) -> None:
    """Raise, before a long search, what asking the model would raise: no key, no such provider."""
    if model != EMBEDDED:
        gateway.estimate(model, [], WrittenHypotheses)


@contextmanager
def without_project(models: Any = None) -> Iterator[Gateway]:
    """Yield a gateway whose answers are kept in the user's cache folder."""
    from assay.label.open import unowned_ledger
    from assay.llm import Gateway

    with unowned_ledger() as ledger, Gateway(ledger, models=models, capability="diagnose") as door:
        yield door
