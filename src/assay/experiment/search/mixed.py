"""Families for tables with texts in them: the words beside the columns."""

from __future__ import annotations

from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.making import boosted_with, recipe_with, shared_space, with_defaults
from assay.experiment.search.space import Choice, Dimension, Family, Real, Values, Whole
from assay.recipe import Feature, Recipe, Tabular, Tfidf

FEW_TERMS = 200
"""Boosted trees read a dense matrix, so the vocabulary of each text is kept small."""


MIXED = ("columns_and_words", "boosted_columns_and_words")
"""Their names."""


def mixed_families(seen: Circumstances) -> tuple[Family, ...]:
    """Return the families that read texts word by word; none where no column holds texts."""
    return (_linear(seen), _boosted(seen)) if seen.texts else ()


def _linear(seen: Circumstances) -> Family:
    if seen.regression:
        path, strength, default = "sklearn.linear_model.Ridge", "alpha", 1.0
    else:
        path, strength, default = "sklearn.linear_model.LogisticRegression", "C", 10.0
    space: dict[str, Dimension] = {
        strength: Real(1e-3, 1e2, log=True),
        "numbers": Choice(("plain", "quantile")),
        "missing": Choice(("mean", "flagged")),
        "max_ngram": Whole(1, 2),
        **shared_space(seen),
    }

    def build(values: Values) -> Recipe:
        columns = Tabular(
            columns=_others(seen), numbers=values["numbers"], missing=values["missing"]
        )
        parameters = {strength: values[strength]}
        if not seen.regression:
            parameters |= {"max_iter": 500, "class_weight": values.get("class_weight")}
        words = _words(seen, max_ngram=values["max_ngram"])
        return recipe_with(_beside(columns, words), path, parameters, values)

    plain = {strength: default, "numbers": "plain", "missing": "flagged", "max_ngram": 1}
    why = "columns and what is said add up"
    return Family(MIXED[0], why, 2, space, with_defaults(space, plain), build)


def _boosted(seen: Circumstances) -> Family:
    space: dict[str, Dimension] = {
        "learning_rate": Real(0.03, 0.3, log=True),
        "max_iter": Whole(30, 300, log=True),
        "max_leaf_nodes": Whole(4, 32, log=True),
        "max_features": Real(0.2, 1.0),
        **shared_space(seen),
    }
    default = {"learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 8, "max_features": 0.5}

    def build(values: Values) -> Recipe:
        columns = Tabular(columns=_others(seen), scale=False, categories="ordinal", missing="kept")
        words = _words(seen, max_terms=FEW_TERMS)
        return boosted_with(seen, _beside(columns, words), default, values)

    why = "some words matter only beside what the columns say"
    return Family(MIXED[1], why, 4, space, with_defaults(space, default), build)


def _others(seen: Circumstances) -> tuple[str, ...]:
    return tuple(name for name in seen.columns if name not in seen.texts)


def _words(seen: Circumstances, *, max_ngram: int = 1, max_terms: int = 20_000) -> list[Tfidf]:
    return [
        Tfidf(column=name, max_ngram=max_ngram, max_terms=max_terms, min_rows=2, sublinear=True)
        for name in seen.texts
    ]


def _beside(columns: Tabular, words: list[Tfidf]) -> tuple[Feature, ...]:
    return (columns, *words) if columns.columns else tuple(words)
