from __future__ import annotations

import pytest

from assay.errors import InputError, ModelError
from assay.llm.guard import forbid_real_calls, real_calls_allowed
from assay.llm.local import LocalModel, SentenceEmbedder


def test_the_variable_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not real_calls_allowed()
    monkeypatch.setenv("ASSAY_NO_REAL_MODELS", "0")
    assert real_calls_allowed()
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    assert real_calls_allowed()


def test_the_block_forbids_and_lifts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_NO_REAL_MODELS")
    with forbid_real_calls():
        with forbid_real_calls():
            pass
        assert not real_calls_allowed()
    assert real_calls_allowed()


@pytest.mark.parametrize("kind", [LocalModel, SentenceEmbedder])
def test_no_embedded_model_loads_where_forbidden(
    kind: type[LocalModel] | type[SentenceEmbedder],
) -> None:
    with pytest.raises(ModelError, match="Real model calls are forbidden"):
        kind.load()


@pytest.mark.parametrize("kind", [LocalModel, SentenceEmbedder])
def test_an_unknown_name_is_refused(kind: type[LocalModel] | type[SentenceEmbedder]) -> None:
    with pytest.raises(InputError, match="Allowed: "):
        kind.load("gpt")
