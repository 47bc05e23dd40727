"""The questions to a language model: hypotheses first, then rows changed to test some of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.diagnose.explain import changing, writing
from assay.diagnose.explain.changing import TOO_FEW_PAIRS, TOO_FEW_ROWS, WrittenPairs
from assay.diagnose.explain.exhibit import Exhibit
from assay.diagnose.explain.offer import Offer
from assay.diagnose.explain.spec import Idea
from assay.errors import AssayError

if TYPE_CHECKING:
    from assay.llm import Gateway, Prompt
    from assay.llm.forecast import Estimate

Consent = Callable[["Estimate"], bool]
"""Told what asking would take, before anything is sent; whether to ask."""

Said = Sequence[tuple[int, Idea]]
"""The place of each finding, and an idea about it."""

LONGEST = Idea("n" * writing.LONGEST_NAME, "w" * writing.LONGEST_WORDS)
"""Stands for a hypothesis that is not stated yet, where what asking takes is told beforehand."""


@dataclass(frozen=True)
class Asked:
    """A language model that is asked about findings.

    Attributes
    ----------
    exhibits
        What is shown of each finding, by its place.
    offers
        What rows of it may be changed; empty where no diagnosed model can be asked about them.
    skipped
        Is told what was not answered, and why.
    """

    gateway: Gateway
    model: str
    exhibits: Mapping[int, Exhibit]
    offers: Mapping[int, Offer | None]
    skipped: list[str]

    def ideas(self, consent: Consent | None) -> Said:
        """Return what the model says of each finding; nothing, and why, where it says nothing."""
        if not self.exhibits:
            return []
        try:
            if consent is not None and not consent(self._estimate()):
                self.skipped.append("the model was not asked")
                return []
            said = self._hypotheses()
        except AssayError as error:  # the findings stand without their explanations
            self.skipped.append(str(error))
            return []
        return self._changed(said)

    def _prompts(self) -> list[Prompt]:
        by_changing = bool(self.offers)
        return [writing.prompt(each, by_changing=by_changing) for each in self.exhibits.values()]

    def _estimate(self) -> Estimate:
        """Return the most that both questions take: all hypotheses tested by changing rows."""
        gateway, model = self.gateway, self.model
        told = gateway.estimate(model, self._prompts(), writing.WrittenHypotheses)
        offers = [each for each in self.offers.values() if each is not None]
        if not offers:
            return told
        later = [changing.prompt(each, LONGEST) for each in offers for _ in range(writing.MOST)]
        return told + gateway.estimate(model, later, WrittenPairs)

    def _hypotheses(self) -> Said:
        answers = self.gateway.generate(self.model, self._prompts(), writing.WrittenHypotheses)
        self.skipped.extend(answers.why[at] for at in sorted(answers.why))
        return [
            (place, idea)
            for (place, exhibit), answer in zip(self.exhibits.items(), answers, strict=True)
            if isinstance(answer, writing.WrittenHypotheses)
            for idea in writing.ideas(answer, exhibit)
        ]

    def _changed(self, said: Said) -> Said:
        """Return the same with changed rows, for those that are tested by them."""
        if not self.offers:
            return said
        found, waiting = list(said), list[tuple[int, Offer]]()
        for at, (place, idea) in enumerate(said):
            offer = self.offers.get(place)
            if idea.by_changing and offer is None:
                found[at] = place, replace(idea, refused=TOO_FEW_ROWS)
            elif idea.by_changing and offer is not None:
                waiting.append((at, offer))
        paired = self._paired([(offer, said[at][1]) for at, offer in waiting])
        for (at, _), idea in zip(waiting, paired, strict=True):
            found[at] = said[at][0], idea
        return found

    def _paired(self, known: Sequence[tuple[Offer, Idea]]) -> list[Idea]:
        """Return each idea with the pairs that the model made of what was offered, or why none."""
        if not known:
            return []
        prompts = [changing.prompt(offer, idea) for offer, idea in known]
        try:
            answers = self.gateway.generate(self.model, prompts, WrittenPairs)
        except AssayError as error:
            return [replace(idea, refused=str(error)) for _, idea in known]
        return [
            changing.with_pairs(idea, answer, offer)
            if isinstance(answer, WrittenPairs)
            else replace(idea, refused=answers.why.get(at, TOO_FEW_PAIRS))
            for at, ((offer, idea), answer) in enumerate(zip(known, answers, strict=True))
        ]
