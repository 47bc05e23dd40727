"""A ledger, and a gateway on it, for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.ledger import Ledger
from assay.llm import Gateway
from assay.llm.model import Limits

QUICK = Limits(in_flight=16, attempts=3, first_wait=0.02, longest_wait=0.1)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


@pytest.fixture
def gateway(ledger: Ledger) -> Iterator[Callable[..., Gateway]]:
    """Makes gateways that wait little between attempts, and closes them."""
    made: list[Gateway] = []

    def make(*models: Any, **settings: Any) -> Gateway:
        named = {each.name: each for each in models}
        made.append(
            Gateway(ledger, models=named, **{"limits": QUICK, "unpriced_ok": True, **settings})
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What tracing was told, in memory."""
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from assay.llm import telemetry

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", lambda: provider.get_tracer("assay"))
    return exporter
