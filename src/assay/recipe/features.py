"""From columns to numbers: one small encoder for each kind of feature."""

from __future__ import annotations

import re
import warnings
from typing import Any, Protocol

import numpy as np
import polars as pl
import scipy.sparse as sp

from assay.errors import InputError, MissingExtraError
from assay.recipe.derived import DerivedEncoder
from assay.recipe.spec import Derived, Embedding, Feature, Raw, Slice, Tabular, Tfidf
from assay.recipe.tools import Tools

Matrix = Any
"""An (n, d) numpy array or SciPy CSR matrix of floats; of raw columns a pandas table."""

MOST_QUANTILES = 1000
FEW_COMPONENTS = 10
"""What trees are given of a column of many categories; each component costs them a search."""


class Encoder(Protocol):
    """Learns from training rows, then turns any rows into numbers."""

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows`` and return their (n, d) matrix."""
        ...

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        ...


class FeatureUnion:
    """The recipe's features side by side, sparse where any of them is."""

    def __init__(self, features: tuple[Feature, ...], tools: Tools) -> None:
        self._encoders = [_encoder(each, tools) for each in features]

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows`` and return their (n, d) matrix."""
        return side_by_side([each.fit_transform(rows) for each in self._encoders])

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        return side_by_side([each.transform(rows) for each in self._encoders])


class TfidfEncoder:
    """scikit-learn's TF-IDF on one text column."""

    def __init__(self, feature: Tfidf) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._feature = feature
        self._vectorizer = TfidfVectorizer(
            analyzer=feature.analyzer,
            ngram_range=(1, feature.max_ngram),
            min_df=feature.min_rows,
            max_features=feature.max_terms,
            sublinear_tf=feature.sublinear,
        )

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows`` and return their (n, d) matrix."""
        try:
            return self._vectorizer.fit_transform(read_texts(rows, self._feature))
        except ValueError as error:
            raise InputError(
                f"The texts of column {self._feature.column!r} hold no usable term: {error}.",
                next_step="lower min_rows, or choose another text column in recipe.toml",
            ) from error

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        return self._vectorizer.transform(read_texts(rows, self._feature))


class EmbeddingEncoder:
    """Sentence embeddings of one text column; learns nothing from the rows."""

    def __init__(self, feature: Embedding, tools: Tools) -> None:
        self._feature = feature
        self._tools = tools

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows`` and return their (n, d) matrix."""
        return self.transform(rows)

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        return embedded(rows, self._feature, self._tools)


class TabularEncoder:
    """skrub's ``TableVectorizer``: dates, numbers and categories to floats."""

    def __init__(self, feature: Tabular) -> None:
        self._feature = feature
        self._pipeline: Any = None

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows`` and return their (n, d) matrix."""
        self._pipeline = _tabular_steps(self._feature, rows.height)
        return np.asarray(self._pipeline.fit_transform(self._columns(rows)), dtype=np.float64)

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        with warnings.catch_warnings():
            # A category that the training rows lack is read as none of theirs, as it should be.
            warnings.filterwarnings("ignore", message="Found unknown categories")
            matrix = self._pipeline.transform(self._columns(rows))
        return np.asarray(matrix, dtype=np.float64)

    def _columns(self, rows: pl.DataFrame) -> Any:
        require(rows, self._feature.columns)
        # Polars all the way: skrub takes a fifth of the time that it takes with pandas.
        return _without_infinity(rows.select(self._feature.columns))


class RawEncoder:
    """The columns as a pandas table, for an estimator that reads one."""

    def __init__(self, feature: Raw) -> None:
        self._feature = feature

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn nothing and return the table."""
        return self.transform(rows)

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the table."""
        require(rows, self._feature.columns)
        return rows.select(self._feature.columns).to_pandas()


class SliceEncoder:
    """1 within a slice and 0 elsewhere, and features that are 0 elsewhere."""

    def __init__(self, feature: Slice, tools: Tools) -> None:
        self._feature = feature
        self._inner = [_encoder(each, tools) for each in feature.of]

    def fit_transform(self, rows: pl.DataFrame) -> Matrix:
        """Learn from ``rows``, those elsewhere too, and return their (n, d) matrix."""
        return self._within(rows, [each.fit_transform(rows) for each in self._inner])

    def transform(self, rows: pl.DataFrame) -> Matrix:
        """Return the (n, d) matrix of ``rows``."""
        return self._within(rows, [each.transform(rows) for each in self._inner])

    def _within(self, rows: pl.DataFrame, inner: list[Matrix]) -> Matrix:
        require(rows, self._feature.columns)
        inside = self._feature.predicate.select(rows).astype(np.float64)
        only = sp.diags(inside)
        return side_by_side([inside[:, None], *(only @ each for each in inner)])


def _tabular_steps(feature: Tabular, rows: int) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    steps: list[Any] = [_vectorizer(feature)]
    if feature.missing != "kept":
        flagged = feature.missing == "flagged"
        steps.append(SimpleImputer(keep_empty_features=True, add_indicator=flagged))
    if feature.numbers == "quantile":
        steps.append(
            QuantileTransformer(
                n_quantiles=min(MOST_QUANTILES, rows), output_distribution="normal", random_state=0
            )
        )
    if feature.scale:
        steps.append(StandardScaler())
    return make_pipeline(*steps)


def _vectorizer(feature: Tabular) -> Any:
    try:
        from skrub import StringEncoder, TableVectorizer
    except ImportError as error:
        raise MissingExtraError("The encoder of tabular columns (skrub)", "tabular") from error
    if feature.categories == "one_hot":
        return TableVectorizer(high_cardinality=StringEncoder(random_state=0))
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32)
    words = StringEncoder(n_components=FEW_COMPONENTS, random_state=0)
    return TableVectorizer(low_cardinality=codes, high_cardinality=words)


def _without_infinity(rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``rows`` with an empty cell for each infinite one: no encoder can scale those."""
    floats = [name for name, kind in rows.schema.items() if kind.is_float()]
    return rows.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats
    )


def texts(rows: pl.DataFrame, column: str) -> list[str]:
    """Return the column as strings; an absent text is the empty string."""
    require(rows, (column,))
    return rows[column].cast(pl.String).fill_null("").to_list()


def read_texts(rows: pl.DataFrame, feature: Tfidf | Embedding) -> list[str]:
    """Return a feature's texts as it reads them: without the words that it leaves out."""
    told = texts(rows, feature.column)
    if not feature.without:
        return told
    words = "|".join(re.escape(each) for each in feature.without)
    left_out = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    return [left_out.sub(" ", each) for each in told]


def embedded(rows: pl.DataFrame, feature: Embedding, tools: Tools) -> Matrix:
    """Return the (n, d) embeddings of a feature's texts, asked for or from the cache."""
    return tools.vectors(feature.model, read_texts(rows, feature), feature.column)


def require(rows: pl.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise an InputError when ``rows`` lacks one of ``columns``."""
    missing = [each for each in columns if each not in rows.columns]
    if missing:
        raise InputError(
            f"The recipe reads column {missing[0]!r}, which the rows do not have.",
            allowed=", ".join(rows.columns[:20]),
            next_step="mend [[features]] in recipe.toml",
        )


def _encoder(feature: Feature, tools: Tools) -> Encoder:
    match feature:
        case Tfidf():
            return TfidfEncoder(feature)
        case Embedding():
            return EmbeddingEncoder(feature, tools)
        case Tabular():
            return TabularEncoder(feature)
        case Raw():
            return RawEncoder(feature)
        case Derived():
            return DerivedEncoder(feature)
        case Slice():
            return SliceEncoder(feature, tools)


def side_by_side(matrices: list[Matrix]) -> Matrix:
    """Return (n, d) matrices as one, sparse where any of them is."""
    if len(matrices) == 1:
        return matrices[0]
    if any(sp.issparse(each) for each in matrices):
        return sp.hstack([sp.csr_matrix(each) for each in matrices], format="csr")
    return np.hstack(matrices)
