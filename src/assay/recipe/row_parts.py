"""Training rows of a recipe: the given rows, edited, and rows that join them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from assay.recipe.feature_parts import Feature
from assay.recipe.part import Part
from assay.recipe.where import Where, conditions_of, predicate_of
from assay.tables.predicate import Predicate


class AddedRows(Part):
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


class Mended(Part):
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


class Made(Part):
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
    where
        Conditions that a row must all fulfil to be made from, and a made one to be kept; of none,
        the whole class.
    dose
        Rows asked for, as a multiple of the class's rows at hand; above 0, at most 100.
    """

    path: str
    class_name: str = ""
    where: tuple[Where, ...] = ()
    dose: float = Field(default=1.0, gt=0, le=100)
    parameters: dict[str, Any] = Field(default_factory=dict)

    @property
    def predicate(self) -> Predicate:
        """What picks the rows that others are made from."""
        return predicate_of(self.where)


class Weighted(Part):
    """Training rows that weigh more, or less, than the others.

    Attributes
    ----------
    where
        Conditions that a row must all fulfil; inputs and target can be named.
    factor
        What the sample weight of such a row is multiplied by; above 0, at most 1,000.
    """

    where: tuple[Where, ...] = Field(min_length=1)
    factor: float = Field(gt=0, le=1000)

    @classmethod
    def of(cls, predicate: Predicate, factor: float) -> Weighted:
        """Return the same part for the same conditions in any order."""
        return cls(where=conditions_of(predicate), factor=factor)

    @property
    def predicate(self) -> Predicate:
        """What picks the rows."""
        return predicate_of(self.where)


Copies = Literal["kept", "agreed", "one"]


class Rows(Part):
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
    copies
        Of rows that read the same (texts but for case, marks and spaces): ``kept`` as they are;
        ``agreed``, all under the commonest label among them; ``one``, a single row under it.
    mended
        How labels that look wrong are found and mended, after the edits above.
    rarest_share
        Rows of a class are left out at random until the rarest class has at least this share
        of the largest, in (0, 1]; 0 leaves none out.
    made
        How new rows are made from those that are left.
    weighted
        Which of all these rows weigh more or less, and by how much; factors multiply.
    """

    added: tuple[AddedRows, ...] = ()
    extra: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    copies: Copies = "kept"
    mended: tuple[Mended, ...] = ()
    rarest_share: float = Field(default=0.0, ge=0, le=1)
    made: tuple[Made, ...] = ()
    weighted: tuple[Weighted, ...] = ()
