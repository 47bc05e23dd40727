"""Traits of texts: what can be said of a text without understanding it, column by column."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

NEGATION = (
    r"(?i)\b(?:not|no|never|nothing|nobody|none|neither|nor|cannot|without)\b|n['\x{2019}]t\b"
)
POSITIVE = r"(?i)\b(?:good|great|best|excellent|love\w*|happy|perfect|wonderful|nice|enjoy\w*)\b"
NEGATIVE = r"(?i)\b(?:bad|worst|terrible|awful|hate\w*|sad|poor|horrible|wrong|fail\w*|boring)\b"
SCRIPTS = {
    "Cyrillic": r"\p{Cyrillic}",
    "Arabic": r"\p{Arabic}",
    "Greek": r"\p{Greek}",
    "East Asian": r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]",
    "Latin": r"\p{Latin}",
}
STOPWORDS = {
    "English": "the|and|of|to|is|that|it|with|for|was",
    "German": "der|und|ist|nicht|das|ein|eine|mit|zu|auf",
    "French": "le|les|et|est|des|une|dans|pour|pas|que",
    "Spanish": "el|los|las|y|es|una|por|con|para|que",
    "Italian": "il|gli|di|che|è|una|per|non|con|sono",
    "Dutch": "het|een|en|van|niet|dat|op|voor|zijn|met",
}

Trait = Callable[[pl.Expr], pl.Expr]


def _script(text: pl.Expr) -> pl.Expr:
    return _most({name: text.str.count_matches(letters) for name, letters in SCRIPTS.items()})


def _language(text: pl.Expr) -> pl.Expr:
    counts = {
        name: text.str.count_matches(rf"(?i)\b(?:{words})\b") for name, words in STOPWORDS.items()
    }
    return _most(counts)


def _most(counts: dict[str, pl.Expr]) -> pl.Expr:
    """Return the name with the highest count, the first of equals; "unknown" where all are 0."""
    top = pl.max_horizontal(*counts.values())
    named = [
        pl.when((count == top) & (top > 0)).then(pl.lit(name)) for name, count in counts.items()
    ]
    return pl.when(top.is_not_null()).then(pl.coalesce(*named, pl.lit("unknown")))


TRAITS: dict[str, Trait] = {
    "words": lambda text: text.str.count_matches(r"\S+"),
    "language": _language,
    "script": _script,
    "negation": lambda text: text.str.contains(NEGATION),
    "numbers": lambda text: text.str.contains(r"\d"),
    "names": lambda text: text.str.contains(r"[\p{Ll},;]\s+\p{Lu}\p{Ll}+"),
    "shouting": lambda text: text.str.contains(r"\b\p{Lu}{3,}\b"),
    "lower case only": lambda text: ~text.str.contains(r"\p{Lu}"),
    "question": lambda text: text.str.contains(r"\?"),
    "exclamation": lambda text: text.str.contains("!", literal=True),
    "link": lambda text: text.str.contains(r"(?i)https?://|www\."),
    "positive wording": lambda text: text.str.contains(POSITIVE),
    "negative wording": lambda text: text.str.contains(NEGATIVE),
}
"""Name of a trait to how it is read from a text column: a number, a word, or yes and no.

``language`` counts stopwords of six languages, ``names`` sees capitalised words within a
sentence, and the wordings are short lists of English words: cheap hints, not understanding.
"""


def trait(rows: pl.DataFrame, column: str, name: str) -> pl.Series:
    """Return the trait ``name`` of each text in ``column``; an empty cell has none."""
    return rows.select(TRAITS[name](pl.col(column).cast(pl.String)).alias(name)).to_series()
