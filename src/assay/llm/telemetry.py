"""OpenTelemetry spans by the GenAI semantic conventions; nothing where it is not set up.

A span is made only where the package ``opentelemetry-api`` is installed and the program has
set a tracer provider, or the environment names an exporter. Prompts and answers are never
attached.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from assay.llm.model import AskError, Usage

_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER")


class Span:
    """One request as tracing sees it."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def answered(self, usage: Usage) -> None:
        """Note the tokens."""
        if self._span is not None:
            self._span.set_attribute("gen_ai.usage.input_tokens", usage.tokens_in)
            self._span.set_attribute("gen_ai.usage.output_tokens", usage.tokens_out)

    def embedded(self, usage: Usage, dimensions: int) -> None:
        """Note the tokens of texts that were embedded, and the length of a vector."""
        if self._span is not None:
            self._span.set_attribute("gen_ai.usage.input_tokens", usage.tokens_in)
            self._span.set_attribute("gen_ai.embeddings.dimension.count", dimensions)


_NONE = Span()
_OPERATIONS = {"choose": "chat", "generate": "generate_content", "embed": "embeddings"}


@contextmanager
def request(model: str, question: str, batched: int = 0) -> Iterator[Span]:
    """Trace one request; an `AskError` that leaves the block is noted by its kind alone.

    ``batched`` is how many requests it submits as one batch.
    """
    tracer = _tracer()
    if tracer is None:
        yield _NONE
        return
    from opentelemetry.trace import SpanKind, StatusCode

    provider, _, name = model.partition(":")
    operation = _OPERATIONS[question]
    attributes: dict[str, str | int] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": name,
    }
    if batched:
        attributes["assay.batch.requests"] = batched
    with tracer.start_as_current_span(
        f"{operation} {name}",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield Span(span)
        except AskError as error:
            span.set_attribute("error.type", error.kind)
            span.set_status(StatusCode.ERROR)
            raise


def is_on() -> bool:
    """Whether requests are traced."""
    return _tracer() is not None


def _tracer() -> Any:
    api = _api()
    if api is None:
        return None
    configured = type(api.get_tracer_provider()).__name__ != "ProxyTracerProvider"
    if configured or any(os.environ.get(each) for each in _VARIABLES):
        return api.get_tracer("assay")
    return None


@cache
def _api() -> Any:
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace
