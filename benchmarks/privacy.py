"""Redaction: rows a second on one core, and the share of planted identifiers that it hides.

Rows are those of AG News (``ASSAY_DATA``). ``before`` is Presidio with the whole spaCy model, one
text at a time; ``after`` is what the gateway does. Both use one thread; rates are by processor
time. ``asked`` is the rate for prompts as they are asked: two orders of the options, and the same
instructions for all rows.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from assay.llm import Prompt
from assay.llm.privacy.plants import PLANTS, recall
from assay.llm.privacy.redaction import Redactor
from common import arguments, print_result, text_set


def main() -> None:
    given = arguments(__doc__)
    table = text_set("agnews_test")
    if table is None:
        print_result(skipped="agnews_test is not in ASSAY_DATA")
        return
    if find_spec("presidio_analyzer") is None:
        print_result(skipped="pip install 'assay[privacy]'")
        return
    warnings.simplefilter("ignore")  # spaCy's own
    texts = table["text"].head(200 if given.quick else 2000).to_list()
    redactor = Redactor()
    redactor.find(["Warm up, John."])
    patterns = Redactor(names=False)
    after = rate(texts, lambda: redactor.find(texts))
    print_result(
        rows=len(texts),
        rows_per_second={
            "before": rate(texts, plain_presidio(texts)),
            "after": after,
            "patterns_alone": rate(texts, lambda: patterns.find(texts)),
            "asked": rate(texts, asked(texts)),
        },
        recall=recall(redactor, texts[: 100 if given.quick else 500], PLANTS),
        characters_hidden_in_ordinary_rows=hidden_share(redactor, texts),
    )


def rate(texts: Sequence[str], work: Callable[[], object]) -> float:
    """Return texts a second of processor time."""
    began = time.process_time()
    work()
    return round(len(texts) / (time.process_time() - began), 1)


def plain_presidio(texts: Sequence[str]) -> Callable[[], object]:
    """Return the work of Presidio as it comes, with the same kinds and threshold."""
    import logging

    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    from assay.llm.privacy import names

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    models = [{"lang_code": "en", "model_name": names.MODEL}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    for recognizer in names.ONLINE:
        analyzer.registry.remove_recognizer(recognizer)
    kinds = list(names.KINDS)
    some = texts[:200]
    analyzer.analyze("Warm up, John.", language="en", entities=kinds)

    def work() -> None:
        for repeat in range(len(texts) // len(some)):
            for text in some:
                analyzer.analyze(
                    f"{text} {repeat}",
                    language="en",
                    entities=kinds,
                    score_threshold=names.THRESHOLD,
                )

    return work


def asked(texts: Sequence[str]) -> Callable[[], object]:
    """Return the work for prompts with shared instructions, in two orders."""
    redactor = Redactor()
    told = "Say which category the text belongs to.\nCategories:\n- World\n- Sports\n- Business"
    prompts = [Prompt(told, text) for text in texts]

    def work() -> None:
        for start in range(0, len(prompts), 64):
            some = prompts[start : start + 64]
            redactor.find([told, *(each.text for each in some)])
            for _ in range(2):
                for each in some:
                    redactor.begin().hide_prompt(each)

    return work


def hidden_share(redactor: Redactor, texts: Sequence[str]) -> float:
    """Return the share of the characters of ordinary rows that redaction takes out."""
    spans = redactor.find(texts)
    taken = sum(span.end - span.start for found in spans for span in found)
    return round(taken / sum(map(len, texts)), 4)


if __name__ == "__main__":
    main()
