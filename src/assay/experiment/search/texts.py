"""Families for text: words, letters, embeddings and their union, under several estimators."""

from __future__ import annotations

from collections.abc import Callable

from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.making import boosted_with, recipe_with, shared_space, with_defaults
from assay.experiment.search.space import Choice, Dimension, Family, Real, Values, Whole
from assay.recipe import Embedding, Feature, Recipe, Tfidf

FEW_TERMS = 400
"""Boosted trees read a dense matrix, so the vocabulary is kept small."""

EMBEDDED = ("embeddings", "words_and_embeddings", "boosted_embeddings")
"""The families that embed texts."""


def text_families(seen: Circumstances) -> tuple[Family, ...]:
    """Return the families that suit a text task, the most promising defaults first."""
    column = str(seen.task.text)
    families = [
        _linear(
            seen,
            "words_and_letters",
            lambda values: (_words(column, values), _letters(column, values)),
            {**_WORDS, **_LETTERS},
        ),
        _linear(seen, "words", lambda values: (_words(column, values),), _WORDS),
        _linear(seen, "letters", lambda values: (_letters(column, values),), _LETTERS),
    ]
    if seen.labels_suffice and not seen.regression:
        families.insert(0, _margins(seen, column))
    if seen.embed_model is not None:
        embedding = Embedding(column=column, model=seen.embed_model)
        alone, beside_words, boosted = EMBEDDED
        families[1:1] = [
            _linear(seen, alone, lambda values: (embedding,), {}),
            _linear(seen, beside_words, lambda values: (_words(column, values), embedding), _WORDS),
        ]
        families.append(_boosted(seen, boosted, embedding))
    boosted_words = Tfidf(column=column, max_terms=FEW_TERMS, min_rows=2, sublinear=True)
    return (*families, _boosted(seen, "boosted_words", boosted_words))


_WORDS: dict[str, Dimension] = {"max_ngram": Whole(1, 2), "min_rows": Whole(1, 3)}
_LETTERS: dict[str, Dimension] = {"letters": Whole(3, 6)}
_PLAIN = {"max_ngram": 2, "min_rows": 1, "letters": 4}


def _words(column: str, values: Values) -> Tfidf:
    return Tfidf(
        column=column,
        max_ngram=values["max_ngram"],
        min_rows=values["min_rows"],
        sublinear=True,
    )


def _letters(column: str, values: Values) -> Tfidf:
    return Tfidf(
        column=column,
        analyzer="char_wb",
        max_ngram=values["letters"],
        min_rows=2,
        sublinear=True,
        max_terms=100_000,
    )


def _linear(
    seen: Circumstances,
    name: str,
    features: Callable[[Values], tuple[Feature, ...]],
    own: dict[str, Dimension],
) -> Family:
    if seen.regression:
        path, strength, default = "sklearn.linear_model.Ridge", "alpha", 1.0
    else:
        path, strength, default = "sklearn.linear_model.LogisticRegression", "C", 10.0
    space = {strength: Real(1e-2, 1e3, log=True), **own, **shared_space(seen)}

    def build(values: Values) -> Recipe:
        parameters = {strength: values[strength]}
        if not seen.regression:
            parameters |= {"max_iter": 300, "class_weight": values.get("class_weight")}
        return recipe_with(features(values), path, parameters, values)

    return Family(
        name,
        "what is said decides, whatever the order",
        1 if name in ("words", "letters", "embeddings") else 2,
        space,
        with_defaults(space, {strength: default, **_PLAIN}),
        build,
    )


def _margins(seen: Circumstances, column: str) -> Family:
    shared = {name: each for name, each in shared_space(seen).items() if name != "rarity"}
    # Letters say more and take five times as long, so they wait for their turn.
    letters = Choice((0, 3, 4, 5))
    space = {"C": Real(1e-2, 1e2, log=True), **_WORDS, "letters": letters, **shared}

    def build(values: Values) -> Recipe:
        parameters = {"C": values["C"], "class_weight": values.get("class_weight")}
        features: tuple[Feature, ...] = (_words(column, values),)
        if values["letters"]:
            features = (*features, _letters(column, values))
        return recipe_with(features, "sklearn.svm.LinearSVC", parameters, values)

    return Family(
        "margins",
        "a widest margin between many sparse features",
        2,
        space,
        with_defaults(
            space, {"C": 0.5, **_PLAIN, "letters": 0}, {"C": 0.5, **_PLAIN, "letters": 4}
        ),
        build,
    )


def _boosted(seen: Circumstances, name: str, feature: Feature) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.03, 0.3, log=True),
        "max_iter": Whole(30, 200, log=True),
        "max_leaf_nodes": Whole(4, 32, log=True),
        "max_features": Real(0.1, 0.7),
        **shared_space(seen),
    }
    default = {"learning_rate": 0.1, "max_iter": 60, "max_leaf_nodes": 8, "max_features": 0.3}

    return Family(
        name,
        "some words matter only beside others",
        3,
        space,
        with_defaults(space, default),
        lambda values: boosted_with(seen, (feature,), default, values),
    )
