"""The recipe book, and which of its recipes a question is nearest to."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, get_args

from assay.ask.spec import Need, Snippet

if TYPE_CHECKING:
    from assay.llm import Gateway


@cache
def recipe_book() -> tuple[Snippet, ...]:
    """Return every recipe, theme by theme."""
    themes = sorted(
        (each for each in files("assay.ask").joinpath("book").iterdir()), key=lambda each: each.name
    )
    return tuple(
        _recipe(recipe, theme.name.removesuffix(".toml"))
        for theme in themes
        if theme.name.endswith(".toml")
        for recipe in tomllib.loads(theme.read_text(encoding="utf-8"))["recipe"]
    )


def nearest(
    gateway: Gateway, embed_model: str, question: str, book: Sequence[Snippet], count: int
) -> list[tuple[Snippet, float]]:
    """Return the recipes nearest to a question, the nearest first, each with its similarity.

    A recipe is as near as the nearest of its title and phrases and the whole of it are on
    average, by the cosine of sentence embeddings.
    """
    import numpy as np

    parts = [(one.title, *one.phrases) for one in book]
    phrases = [each for part in parts for each in part]
    wholes = [". ".join((*part, one.promise)) for part, one in zip(parts, book, strict=True)]
    vectors = gateway.embed(embed_model, [question, *phrases, *wholes], columns=())
    alike = vectors[1:] @ vectors[0]
    near = np.full(len(book), -1.0)
    np.maximum.at(
        near, np.repeat(np.arange(len(book)), [len(part) for part in parts]), alike[: len(phrases)]
    )
    near = (near + alike[len(phrases) :]) / 2
    return [(book[place], float(near[place])) for place in np.argsort(-near, kind="stable")[:count]]


def _recipe(given: dict[str, object], theme: str) -> Snippet:
    needs = given["needs"]
    if not isinstance(needs, list) or not set(needs) <= set(get_args(Need)):
        raise AssertionError(f"{given['title']}: unknown needs {needs}")
    return Snippet(
        title=str(given["title"]),
        code=str(given["code"]).strip() + "\n",
        promise=str(given["promise"]),
        check=str(given["check"]).strip() + "\n",
        origin=f"book:{theme}",
        needs=tuple(needs),
        phrases=tuple(each.strip() for each in str(given["asks"]).split(";")),
    )
