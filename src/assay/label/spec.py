"""How rows are put to the annotators, and when a combined vote is confident."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PoolLabelling(BaseModel):
    """Settings of the pool-labelling source.

    Attributes
    ----------
    max_rows
        Pool rows asked at most; a seeded sample where there are more.
    max_text_tokens
        Longer texts are cut to head and tail.
    confidences
        Least combined probabilities to try, each a proposal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_rows: int = Field(default=3000, ge=1)
    max_text_tokens: int = Field(default=48, ge=8)
    confidences: tuple[float, ...] = (0.9,)
