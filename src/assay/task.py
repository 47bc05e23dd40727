"""The Task: what is predicted, from what, and how a prediction is judged."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["binary", "multiclass", "regression"]
Modality = Literal["text", "tabular"]
MetricName = Literal["accuracy", "macro_f1", "log_loss", "auc", "mae", "rmse"]

METRICS: tuple[str, ...] = get_args(MetricName)
METRICS_OF_KIND: dict[Kind, tuple[MetricName, ...]] = {
    "binary": ("accuracy", "macro_f1", "log_loss", "auc"),
    "multiclass": ("accuracy", "macro_f1", "log_loss"),
    "regression": ("mae", "rmse"),
}


class ClassDescription(BaseModel):
    """One class: its name in the data, and what it means in plain words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""

    @property
    def words(self) -> str:
        """The description where there is one, else the name."""
        return self.description or self.name


class Task(BaseModel):
    """What is predicted.

    Attributes
    ----------
    kind
        ``binary``, ``multiclass`` or ``regression``.
    modality
        ``text`` (one text column decides) or ``tabular``.
    target
        The column that is predicted. Class labels are strings inside Assay.
    text
        The text column of a text task.
    features
        The feature columns of a tabular task, in table order.
    classes
        The classes in a fixed order; for a binary task the second is the positive one.
    guidelines
        What an annotator should know, in plain words.
    metric
        How predictions are judged.
    group
        Rows that share this column's value are never split apart.
    time
        Rows are split by this column's order: later rows judge earlier ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    modality: Modality
    target: str
    text: str | None = None
    features: tuple[str, ...] = ()
    classes: tuple[ClassDescription, ...] = ()
    guidelines: str = ""
    metric: MetricName = Field(default="accuracy")
    group: str | None = None
    time: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in the task's order; empty for a regression."""
        return tuple(each.name for each in self.classes)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns a model may read."""
        return self.features if self.text is None else (self.text, *self.features)
