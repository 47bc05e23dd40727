"""The Recipe: how a model is built, as an immutable, hashed, readable description."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

FORMAT: Literal[1] = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def plain(self) -> dict[str, Any]:
        """Return what differs from the defaults, and the kind, as plain values.

        A field that a later version adds leaves the text and the hash of older recipes alone.
        """
        fields = type(self).model_fields
        values = {name: getattr(self, name) for name in fields}
        return {
            name: _plain(value)
            for name, value in values.items()
            if name in ("kind", "format")
            or value != fields[name].get_default(call_default_factory=True)
        }


class Tfidf(_Part):
    """Term frequencies weighted by inverse document frequency, from one text column."""

    kind: Literal["tfidf"] = "tfidf"
    column: str
    analyzer: Literal["word", "char_wb"] = "word"
    max_ngram: int = Field(default=1, ge=1, le=6)
    min_rows: int = Field(default=1, ge=1)
    max_terms: int = Field(default=50_000, ge=1)
    sublinear: bool = False


class Embedding(_Part):
    """Sentence embeddings of one text column; unit length."""

    kind: Literal["embedding"] = "embedding"
    column: str
    model: str = "local:minilm"


class Tabular(_Part):
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


class Raw(_Part):
    """Columns handed to the estimator as a pandas table, as they are; the only feature then."""

    kind: Literal["raw"] = "raw"
    columns: tuple[str, ...]


class Derived(_Part):
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


Feature = Annotated[Tfidf | Embedding | Tabular | Raw | Derived, Field(discriminator="kind")]


class AddedRows(_Part):
    """Unlabelled rows that join the training rows under a label voted for them.

    The votes lie in an artefact and never saw a label. How much each vote counts is learned
    from the training rows at hand, so a cross-validation fold stays honest.

    Attributes
    ----------
    votes
        Artefact id of the votes table: ``row_id``, inputs, and for each vote and class a column
        ``vote:NAME:CLASS`` with a probability. Search rows are among them, for the weighing.
    features
        What the weighing may also learn from, beside the votes.
    min_confidence
        Rows whose combined probability is at least this are added, in (0, 1].
    weight
        Sample weight of an added row; a labelled row weighs 1.
    """

    votes: str
    features: tuple[Feature, ...] = ()
    min_confidence: float = Field(default=0.9, gt=0, le=1)
    weight: float = Field(default=1.0, gt=0)


class Mended(_Part):
    """Training rows whose label looks wrong are left out, or get the likelier label.

    They are found by confident learning among the training rows at hand, so a cross-validation
    fold stays honest; see :mod:`assay.recipe.mending`.

    Attributes
    ----------
    features
        What a label is judged from.
    action
        ``drop`` or ``relabel``.
    folds
        Parts of the training rows that are judged by a model of the others.
    """

    features: tuple[Feature, ...] = Field(min_length=1)
    action: Literal["drop", "relabel"] = "drop"
    folds: int = Field(default=5, ge=2)


class Made(_Part):
    """New rows that a function makes from the training rows at hand.

    They are made anew in each fold of a cross-validation, from the fold's own training rows: a
    row that was made from all rows would tell a model what the judged rows look like.

    Attributes
    ----------
    path
        Import path of ``function(rows, task, *, class_name, count, seed, **parameters)`` which
        returns a table of labelled rows, inputs and target among its columns.
    class_name
        The class of which rows are made; empty for a whole table.
    dose
        Rows asked for, as a multiple of the class's rows at hand; above 0, at most 100.
    """

    path: str
    class_name: str = ""
    dose: float = Field(default=1.0, gt=0, le=100)
    parameters: dict[str, Any] = Field(default_factory=dict)


class Rows(_Part):
    """The training rows: the ``search`` rows, edited.

    Attributes
    ----------
    added
        Rows voted into the training set.
    extra
        Artefact ids of tables of labelled rows to append (columns: inputs and target; and
        ``made_from``, the ``row_id`` of the search row that a row was made from, and ``shown``,
        a list of all that its writer saw). It trains no fold that judges one of these.
    dropped
        Artefact ids of tables whose ``row_id`` column names rows to leave out.
    relabelled
        Artefact ids of tables with ``row_id`` and the new target.
    mended
        How labels that look wrong are found and mended, after the edits above.
    rarest_share
        Rows of a class are left out at random until the rarest class has at least this share
        of the largest, in (0, 1]; 0 leaves none out.
    made
        How new rows are made from those that are left.
    """

    added: tuple[AddedRows, ...] = ()
    extra: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    mended: tuple[Mended, ...] = ()
    rarest_share: float = Field(default=0.0, ge=0, le=1)
    made: tuple[Made, ...] = ()


class Estimator(_Part):
    """Anything scikit-learn compatible: an import path and its parameters.

    A parameter that is ``None`` is left out, since TOML has no null: the estimator's own
    default then holds.
    """

    path: str
    parameters: dict[str, Any] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _without_nulls(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in parameters.items() if value is not None}


class _Model(_Part):
    """Features, the estimator that reads them, and how its predictions are adjusted.

    Attributes
    ----------
    rarity
        Class probabilities are divided by the class's share of the training rows to this power
        (logit adjustment; Menon et al. 2021): 0 leaves them, 1 treats classes as equally common.
    log_target
        Whether a regression learns the logarithm of its target, shifted to be positive.
    """

    features: tuple[Feature, ...] = Field(min_length=1)
    estimator: Estimator
    rarity: float = Field(default=0.0, ge=0, le=2)
    log_target: bool = False

    @field_validator("features")
    @classmethod
    def _raw_alone(cls, features: tuple[Feature, ...]) -> tuple[Feature, ...]:
        if len(features) > 1 and any(isinstance(each, Raw) for each in features):
            raise ValueError("raw columns stand beside no other feature")
        return features


class Blended(_Model):
    """A further model whose predictions are averaged with the recipe's own.

    Attributes
    ----------
    weight
        How much it counts; the recipe's own model counts 1.
    """

    weight: float = Field(default=1.0, gt=0)


class _Head(_Part):
    """What a recipe's text begins with."""

    format: Literal[1] = FORMAT
    rows: Rows = Rows()


class Recipe(_Model, _Head):
    """How a model is built: rows in, features, estimator; and models blended with it."""

    blend: tuple[Blended, ...] = ()

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this recipe's content."""
        content = json.dumps(self.plain(), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]

    def with_parameters(self, **parameters: Any) -> Recipe:
        """Return this recipe with some of the estimator's parameters replaced."""
        merged = {**self.estimator.parameters, **parameters}
        return self.with_estimator(self.estimator.path, **merged)

    def with_estimator(self, path: str, **parameters: Any) -> Recipe:
        """Return this recipe with another estimator."""
        return self.model_copy(update={"estimator": Estimator(path=path, parameters=parameters)})

    def with_features(self, *features: Tfidf | Embedding | Tabular | Raw | Derived) -> Recipe:
        """Return this recipe with other features."""
        return self.model_copy(update={"features": features})

    def with_feature(self, feature: Tfidf | Embedding | Tabular | Raw | Derived) -> Recipe:
        """Return this recipe with a feature beside its own; itself where it has it."""
        return self if feature in self.features else self.with_features(*self.features, feature)

    def blended_with(self, *others: tuple[float, Recipe]) -> Recipe:
        """Return this recipe with the models of ``others`` averaged in, each by its weight."""
        blend = [
            Blended(
                features=each.features,
                estimator=each.estimator,
                rarity=each.rarity,
                log_target=each.log_target,
                weight=weight,
            )
            for weight, each in others
        ]
        return self.model_copy(update={"blend": (*self.blend, *blend)})

    @property
    def all_features(self) -> tuple[Feature, ...]:
        """The features of every model, each once."""
        blended = [feature for each in self.blend for feature in each.features]
        return tuple(dict.fromkeys((*self.features, *blended)))

    @property
    def members(self) -> tuple[tuple[float, Recipe], ...]:
        """Its own model with weight 1, then the blended ones, each as a recipe of its own."""
        alone = self.model_copy(update={"blend": ()})
        others = [
            (
                each.weight,
                alone.model_copy(
                    update={name: getattr(each, name) for name in _Model.model_fields}
                ),
            )
            for each in self.blend
        ]
        return ((1.0, alone), *others)

    def with_added(self, *added: AddedRows) -> Recipe:
        """Return this recipe with more rows voted into the training set."""
        rows = self.rows.model_copy(update={"added": (*self.rows.added, *added)})
        return self.model_copy(update={"rows": rows})

    def with_made(self, *made: Made) -> Recipe:
        """Return this recipe with more rows made from its training rows."""
        rows = self.rows.model_copy(update={"made": (*self.rows.made, *made)})
        return self.model_copy(update={"rows": rows})


def _plain(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.plain()
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
