"""The plain ways to label that ``label.py`` measures beside ours."""

from __future__ import annotations

import polars as pl

from assay.label import LabelSettings, LabelTask
from assay.llm import Gateway, Prompt
from label_sets import TextSet


def plainly(
    task: LabelTask, texts: list[str], gateway: Gateway, settings: LabelSettings
) -> list[str]:
    """Return the class that the model chooses for each text when it is asked once."""
    listed = "\n".join(f"- {each.words}" for each in task.classes)
    told = f"Say which category the text belongs to.\nCategories:\n{listed}"
    columns = (*task.inputs, task.target)
    asked = gateway.choose(
        settings.models[0],
        [Prompt(told, text, columns=columns) for text in texts],
        [each.words for each in task.classes],
        max_text_tokens=settings.max_text_tokens,
    )
    return [task.class_names[code] for code in asked.probabilities.argmax(axis=1)]


def logistic(data: TextSet, rows: pl.DataFrame, gold: pl.DataFrame, gateway: Gateway,
             settings: LabelSettings) -> list[str]:  # fmt: skip
    """Return the classes of rows by a logistic regression on the embeddings of gold."""
    from sklearn.linear_model import LogisticRegression

    columns = ("text",)
    known = gateway.embed(settings.embed, gold["text"].to_list(), columns=columns)
    asked = gateway.embed(settings.embed, rows["text"].to_list(), columns=columns)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(known, gold[data.task.target].to_list())
    return [str(each) for each in model.predict(asked)]
