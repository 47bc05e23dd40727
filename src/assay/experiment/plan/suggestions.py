"""What a language model may add to a plan, before anything of it is checked."""

from __future__ import annotations

from pydantic import BaseModel, Field

MOST = 8
"""So many suggestions of each kind are read."""


class SuggestedTry(BaseModel):
    """Values of one family."""

    family: str
    parameter: str
    value: str = Field(description="a number, or one of the words allowed")
    why: str = ""


class SuggestedFeature(BaseModel):
    """Something to compute of one or two columns."""

    operation: str
    columns: list[str] = Field(min_length=1, max_length=2)
    why: str = ""


class SuggestedLate(BaseModel):
    """A column that may be known only after the outcome."""

    column: str
    why: str


class SuggestedRisk(BaseModel):
    """A risk that a column carries."""

    column: str
    risk: str


class Suggestions(BaseModel):
    """What a language model is asked for."""

    tries: list[SuggestedTry] = Field(default_factory=list, max_length=MOST)
    features: list[SuggestedFeature] = Field(default_factory=list, max_length=MOST)
    known_late: list[SuggestedLate] = Field(default_factory=list, max_length=MOST)
    risks: list[SuggestedRisk] = Field(default_factory=list, max_length=MOST)
