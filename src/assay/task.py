"""The Task: what is predicted, from what, and how a prediction is judged."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Kind = Literal["binary", "multiclass", "regression"]
Modality = Literal["text", "tabular"]

METRICS_OF_KIND: dict[Kind, tuple[str, ...]] = {
    "binary": (
        "accuracy",
        "balanced_accuracy",
        "macro_f1",
        "log_loss",
        "auc",
        "average_precision",
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"),
    "regression": ("mae", "rmse"),
}
METRICS: tuple[str, ...] = tuple(
    dict.fromkeys(name for names in METRICS_OF_KIND.values() for name in names)
)
_NUMBER = r"(\d+(?:\.\d+)?)"
_COST = re.compile(rf"cost_{_NUMBER}_{_NUMBER}")


def _known(metric: str) -> str:
    if metric not in METRICS and costs_of(metric) is None:
        allowed = {"allowed": ", ".join(METRICS)}
        told = "Input should be {allowed}, or costs as in cost_1_20"
        raise PydanticCustomError("metric", told, allowed)
    return metric


MetricName = Annotated[str, AfterValidator(_known)]
"""One of ``METRICS``, or ``cost_1_20``: the mean cost where a false alarm costs 1, a miss 20."""


class Costs(BaseModel):
    """What the mistakes between two classes cost, in any one unit.

    Attributes
    ----------
    false_alarm, miss
        Of calling a row the positive class wrongly, and of not calling one that is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_alarm: float = Field(gt=0)
    miss: float = Field(gt=0)

    @property
    def threshold(self) -> float:
        """The probability from which an alarm is worth its cost (Elkan 2001)."""
        return self.false_alarm / (self.false_alarm + self.miss)

    @property
    def metric(self) -> str:
        """The name of the metric that judges by them."""
        return f"cost_{self.false_alarm:.12g}_{self.miss:.12g}"


def costs_of(metric: str) -> Costs | None:
    """Return the costs that a metric's name states; None where it states none, or a zero."""
    found = _COST.fullmatch(metric)
    false_alarm, miss = map(float, found.groups()) if found else (0.0, 0.0)
    both = false_alarm > 0 and miss > 0
    return Costs(false_alarm=false_alarm, miss=miss) if both else None


def judges(metric: str, kind: Kind) -> bool:
    """Return whether a metric can judge a task of this kind."""
    costly = kind == "binary" and costs_of(metric) is not None
    return costly or metric in METRICS_OF_KIND[kind]


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
        How predictions are judged. Under ``cost_1_20`` (two classes) the positive class is told
        from the probability on from which a false alarm, 1, costs less than a miss, 20.
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
    metric: MetricName = "accuracy"
    group: str | None = None
    time: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class names, in the task's order; empty for a regression."""
        return tuple(each.name for each in self.classes)

    @property
    def threshold(self) -> float | None:
        """The probability from which the positive class is told; None but under a cost metric."""
        costs = costs_of(self.metric) if self.kind == "binary" else None
        return None if costs is None else costs.threshold

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns a model may read."""
        return self.features if self.text is None else (self.text, *self.features)
