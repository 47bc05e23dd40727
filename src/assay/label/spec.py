"""How rows are put to the annotators, and when a combined vote is confident."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PoolLabelling(BaseModel):
    """Settings of the pool-labelling source.

    Attributes
    ----------
    model
        The language model that is asked for the class of each row.
    embedding_model
        The model whose similarity of row and class description is the second vote.
    max_rows
        Pool rows asked at most; a seeded sample where there are more.
    max_text_tokens
        Longer texts are cut to head and tail.
    confidences
        Least combined probabilities to try, each a proposal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "local:smollm2-135m"
    embedding_model: str = "local:minilm"
    max_rows: int = Field(default=3000, ge=1)
    max_text_tokens: int = Field(default=48, ge=8)
    confidences: tuple[float, ...] = (0.9,)
