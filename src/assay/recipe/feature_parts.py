"""Features of a recipe: what the estimator reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from assay.recipe.part import Part
from assay.recipe.where import Where, predicate_of
from assay.tables.predicate import Predicate


class _Read(Part):
    """One text column.

    Attributes
    ----------
    without
        Words or phrases that are taken out before the text is read, whole and in any letter case.
    """

    column: str
    without: tuple[str, ...] = ()

    @field_validator("without")
    @classmethod
    def _said(cls, without: tuple[str, ...]) -> tuple[str, ...]:
        if not all(each.strip() for each in without):
            raise ValueError("without names an empty word")
        return tuple(sorted({each.strip().lower() for each in without}))


class Tfidf(_Read):
    """Term frequencies weighted by inverse document frequency, from one text column."""

    kind: Literal["tfidf"] = "tfidf"
    analyzer: Literal["word", "char_wb"] = "word"
    max_ngram: int = Field(default=1, ge=1, le=6)
    min_rows: int = Field(default=1, ge=1)
    max_terms: int = Field(default=50_000, ge=1)
    sublinear: bool = False


class Embedding(_Read):
    """Sentence embeddings of one text column; unit length."""

    kind: Literal["embedding"] = "embedding"
    model: str = "local:minilm"


class Tabular(Part):
    """Columns encoded by skrub's ``TableVectorizer``, then scaled where asked.

    Attributes
    ----------
    scale
        Whether every column ends with mean 0 and variance 1.
    categories
        ``one_hot``, or ``ordinal``: one column of codes, for trees.
    missing
        ``mean`` puts the mean in an empty cell; ``kept`` leaves it to an estimator that reads
        NaN; ``flagged`` puts the mean and adds a column that says so.
    numbers
        ``plain``, or ``quantile``: mapped to a normal distribution by rank.
    """

    kind: Literal["tabular"] = "tabular"
    columns: tuple[str, ...]
    scale: bool = True
    categories: Literal["one_hot", "ordinal"] = "one_hot"
    missing: Literal["mean", "kept", "flagged"] = "mean"
    numbers: Literal["plain", "quantile"] = "plain"


class Raw(Part):
    """Columns handed to the estimator as a pandas table, as they are; the only feature then."""

    kind: Literal["raw"] = "raw"
    columns: tuple[str, ...]


class Derived(Part):
    """Numbers that a small Python function computes from columns; it runs in the sandbox.

    Attributes
    ----------
    name
        What it is called where it is judged.
    columns
        What it may read; the target is never among them.
    code
        Defines ``feature(rows, seen)``: from Polars tables of these columns, of any rows and of
        the training rows, to a column or table of numbers for ``rows``.
    """

    kind: Literal["derived"] = "derived"
    name: str
    columns: tuple[str, ...] = Field(min_length=1)
    code: str = Field(max_length=20_000)


class Slice(Part):
    """Whether a row lies in a slice, and what its rows say there by weights of their own.

    Attributes
    ----------
    where
        Conditions that a row of the slice fulfils, all of them.
    of
        Features that are given once more, as they are within the slice and 0 elsewhere: to a linear
        model, weights that hold there alone.
    """

    kind: Literal["slice"] = "slice"
    where: tuple[Where, ...] = Field(min_length=1)
    of: tuple[Annotated[Tfidf | Tabular, Field(discriminator="kind")], ...] = ()

    @property
    def predicate(self) -> Predicate:
        """The conditions."""
        return predicate_of(self.where)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads."""
        inner = [one for each in self.of for one in columns_of(each)]
        return tuple(dict.fromkeys((*(each.column for each in self.where), *inner)))


Feature = Annotated[
    Tfidf | Embedding | Tabular | Raw | Derived | Slice, Field(discriminator="kind")
]


def columns_of(feature: Feature) -> tuple[str, ...]:
    """Return the columns that a feature reads."""
    return (feature.column,) if isinstance(feature, Tfidf | Embedding) else feature.columns
