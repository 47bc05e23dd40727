"""A decoder of random weights and a byte tokenizer: the real code, at a millionth of the cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assay.llm.local.decoder import Decoder
from assay.llm.local.model import LocalModel
from assay.llm.local.tokens import ChatTokenizer, tokenizer_json
from assay.llm.local.weights import Prepared, Shape

SHAPE = Shape(
    layers=2, width=128, inner=192, heads=4, kv_heads=2, vocabulary=280,
    context=512, rope_base=1e4, epsilon=1e-5,
)  # fmt: skip


def random_weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)

    def matrix(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, generator=generator) / columns**0.5

    width, inner, kv = SHAPE.width, SHAPE.inner, SHAPE.kv_heads * SHAPE.head
    out = {"embedding": matrix(SHAPE.vocabulary, width), "norm": torch.ones(width)}
    for index in range(SHAPE.layers):
        out |= {
            f"layer.{index}.qk": matrix(width + kv, width) * 2,
            f"layer.{index}.v": matrix(kv, width),
            f"layer.{index}.out": matrix(width, width),
            f"layer.{index}.gate": matrix(inner, width),
            f"layer.{index}.up": matrix(inner, width),
            f"layer.{index}.down": matrix(width, inner),
        }
    return out


def byte_vocabulary() -> tuple[list[str], list[str]]:
    """17 control tokens, the 256 bytes as byte-level BPE spells them, and a few merges."""
    from tokenizers.pre_tokenizers import ByteLevel

    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    control += [f"<control {index}>" for index in range(len(control), 17)]
    merges = ["t h", "th e", "i n", "a n", "an d", "Ġ the", "b a"]
    joined = [merge.replace(" ", "") for merge in merges]
    return [*control, *sorted(ByteLevel.alphabet()), *joined], merges


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads cost the tiny decoder more than they give, above all on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("tiny")
    save_file(random_weights(), folder / "model.safetensors")
    (folder / "tokenizer.json").write_text(tokenizer_json(*byte_vocabulary()), encoding="utf-8")
    return Prepared(folder / "model.safetensors", folder / "tokenizer.json", SHAPE)


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_files: Prepared) -> ChatTokenizer:
    path: Path = tiny_files.tokenizer
    return ChatTokenizer(path)


@pytest.fixture(scope="session")
def tiny_model(tiny_files: Prepared, tiny_tokenizer: ChatTokenizer) -> LocalModel:
    return LocalModel("tiny", Decoder(tiny_files), tiny_tokenizer)
