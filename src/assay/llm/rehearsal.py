"""A gateway that asks nothing: for the dry run, code that asks is run against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from assay.llm.estimate import Estimator
from assay.llm.forecast import Estimate
from assay.llm.gateway import Gateway
from assay.llm.own_options import Options, with_options
from assay.llm.privacy.policy import host_of
from assay.llm.prompt import Prompt
from assay.llm.results import ANSWERED, UNASKED, Choices, Generated
from assay.llm.vectors import keys_for


class Rehearsal(Gateway):
    """Notes what each question would take, and answers with nothing.

    Every option of a choice is equally likely, every vector is zero, and no object is written.
    A question that is put twice counts once, as the ledger will answer it.

    Attributes
    ----------
    noted
        One estimate for each question, in their order.
    """

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.noted: list[Estimate] = []
        self._estimator = Estimator(self._ledger, self._limits.in_flight, remembers=True)

    def choose(
        self,
        model: str,
        prompts: Sequence[Prompt],
        options: Options,
        *,
        max_text_tokens: int | None = None,
    ) -> Choices:
        """Note the question; every option is equally likely."""
        told = self.estimate(model, prompts, options, max_text_tokens=max_text_tokens)
        self.noted.append(told)
        _, columns, own = with_options(prompts, options)
        n, k = len(prompts), len(columns)
        codes = np.full(n, ANSWERED, dtype=np.uint8)
        return Choices(codes, {}, "rehearsed", columns, np.full((n, k), 1 / k), own=own)

    def generate(self, model: str, prompts: Sequence[Prompt], schema: type[BaseModel]) -> Generated:
        """Note the question; nothing is written."""
        self.noted.append(self.estimate(model, prompts, schema))
        codes = np.full(len(prompts), UNASKED, dtype=np.uint8)
        why = dict.fromkeys(range(len(prompts)), "this is a dry run")
        return Generated(codes, why, "rehearsed", (None,) * len(prompts))

    def embed(
        self, model: str, texts: Sequence[str], *, columns: tuple[str, ...] | None = None
    ) -> NDArray[np.float32]:
        """Note the texts; every vector is zero."""
        self.noted.append(self.estimate_embedding(model, texts, columns=columns))
        return np.zeros((len(texts), 1), dtype=np.float32)

    def embed_like(
        self, model: str, texts: Sequence[str], share: float, *, columns: tuple[str, ...]
    ) -> None:
        """Note texts that may not be read: ``share`` times as many, as long as these are."""
        described = self._roster.described(model)
        self._privacy.check_columns(columns, name=model, host=host_of(described))
        told = Estimator(self._ledger, self._limits.in_flight).embedding(
            model,
            described,
            texts,
            self._roster.price(model),
            key=keys_for(model, described),
            known=lambda _: (),
        )
        self.noted.append(told.times(share, question="embed"))
