"""LabelTask: what an annotator is asked about each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assay.errors import InputError
from assay.label.naming import looks
from assay.task import ClassDescription, Task

LabelKind = Literal["single", "multi", "ordinal", "extract", "match"]
KINDS: tuple[LabelKind, ...] = get_args(LabelKind)
PAIR_CLASSES = ("different", "match")
"""What a pair is where the task names no classes; the second means "the same thing"."""


class LabelTask(BaseModel):
    """What is asked about each row.

    Attributes
    ----------
    kind
        ``single``: one class. ``multi``: any number of classes. ``ordinal``: one of ordered
        classes, lowest first. ``extract``: an object of a JSON schema. ``match``: whether the
        columns ``left`` and ``right`` speak of the same thing.
    inputs
        The columns that an annotator reads; by default every column but the id and the label.
    target
        The column of gold tables and results that holds the label.
    classes
        The classes; a description in plain words helps every annotator.
    left, right
        The columns of the two sides of a pair; its classes are ``different`` and ``match`` unless
        two others are named in that order.
    fields
        JSON schema of what is extracted.
    guidelines
        What an annotator should know, in plain words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LabelKind = "single"
    inputs: tuple[str, ...] = ()
    target: str = "label"
    classes: tuple[ClassDescription, ...] = ()
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    fields: dict[str, Any] | None = Field(default=None)
    guidelines: str = ""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("kind") != "match":
            return given
        sides = (*given.get("left", ()), *given.get("right", ()))
        classes = given.get("classes") or [{"name": name} for name in PAIR_CLASSES]
        return {**given, "classes": classes, "inputs": given.get("inputs") or sides}

    @model_validator(mode="after")
    def _usable(self) -> LabelTask:
        names = [" ".join(each.name.split()) for each in self.classes]
        if not all(map(looks, names)):
            raise ValueError("a class has no name")
        for one, other in _alike(names, names):
            raise ValueError(_one_name(one, other))
        words = [each.words for each in self.classes]
        for one, other in _alike(names, words):
            raise ValueError(
                f"the classes {one!r} and {other!r} have one description: tell them apart"
            )
        if self.kind == "extract" and self.fields is None:
            raise ValueError("an extraction needs fields: a JSON schema")
        if self.kind in ("single", "ordinal") and len(names) < 2:
            raise ValueError(f"a task of kind {self.kind} needs two classes or more")
        if self.kind == "multi" and not names:
            raise ValueError("a task of kind multi needs a class or more")
        if self.kind == "match" and not (self.left and self.right and len(names) == 2):
            raise ValueError("a pair needs the columns of both sides (left, right) and two classes")
        return self

    @classmethod
    def of(cls, given: Any) -> LabelTask:
        """Return the task that ``given`` stands for.

        Parameters
        ----------
        given
            A LabelTask, a project's Task, class names, a mapping of class names to
            descriptions, or a pydantic model to extract.

        Raises
        ------
        InputError
            When it is none of these, or not usable.
        """
        if isinstance(given, LabelTask):
            return given
        try:
            if isinstance(given, Task):
                return cls(inputs=given.inputs, target=given.target, classes=given.classes,
                           guidelines=given.guidelines)  # fmt: skip
            if isinstance(given, type) and issubclass(given, BaseModel):
                return cls(kind="extract", fields=given.model_json_schema())
            if isinstance(given, Mapping):
                classes = tuple(
                    ClassDescription(name=str(name), description=str(words or ""))
                    for name, words in given.items()
                )
                return cls(classes=classes)
            if isinstance(given, Sequence) and not isinstance(given, str):
                return cls(classes=tuple(ClassDescription(name=str(name)) for name in given))
        except ValueError as error:
            raise InputError(f"The task cannot be used: {_first(error)}.") from error
        raise InputError(
            "This is no labelling task.",
            given=type(given).__name__,
            allowed="a LabelTask, a Task, class names, {class: description}, a pydantic model",
        )

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that a prompt is made of; its options are the label's own values."""
        return (*self.inputs, self.target)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in the task's order."""
        return tuple(each.name for each in self.classes)


def _alike(names: Sequence[str], told: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the names of classes of which a reader is told the same."""
    first: dict[str, str] = {}
    for name, words in zip(names, told, strict=True):
        key = looks(words)
        if key in first:
            yield first[key], name
        first[key] = name


def _one_name(one: str, other: str) -> str:
    if one == other:
        return f"two classes have the name {one!r}"
    if one.casefold() == other.casefold():
        return f"two classes have one name but for its case: {one!r} and {other!r}"
    return f"two classes have names that look alike: {one!a} and {other!a}"


def _first(error: ValueError) -> str:
    text = str(error.errors()[0]["msg"]) if hasattr(error, "errors") else str(error)
    return text.removeprefix("Value error, ").rstrip(".")
