"""The embedded model's weights: taken out of the GGUF once, laid out for our decoder, mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.assets import fetch
from assay.assets.lock import locked
from assay.config import cache_dir, write_text, writing
from assay.errors import MissingExtraError

if TYPE_CHECKING:
    import gguf
    import torch

LAYOUT = 1
"""Raise it when the prepared files change shape, and they are prepared anew."""


@dataclass(frozen=True)
class Shape:
    """The decoder's dimensions (a Llama: RMSNorm, RoPE, grouped queries, SwiGLU)."""

    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    rope_base: float
    epsilon: float

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def block_parameters(self) -> int:
        """Parameters apart from the embedding: two floating-point operations a token each."""
        attention = self.width * (2 * self.width + 2 * self.kv_heads * self.head)
        return self.layers * (attention + 3 * self.width * self.inner)


@dataclass(frozen=True)
class Prepared:
    """The files of a prepared model, and its dimensions."""

    weights: Path
    tokenizer: Path
    shape: Shape

    def tensors(self) -> dict[str, torch.Tensor]:
        """Return the weights by name, mapped from the file."""
        from safetensors.torch import load_file

        return load_file(self.weights)


@cache
def compute_dtype() -> torch.dtype:
    """Return bfloat16 where this processor multiplies it in hardware, else float32.

    The decision is made by what PyTorch reports of the processor (AMX or AVX-512 BF16), not
    by timing, so that results do not depend on how busy the machine is.
    """
    import torch

    if hasattr(torch.cpu, "get_capabilities"):
        known: Mapping[str, Any] = torch.cpu.get_capabilities()
        fast = bool(known.get("amx_bf16") or known.get("avx512_bf16"))
    else:  # before PyTorch 2.10
        fast = bool(torch.cpu._is_avx512_bf16_supported())
    return torch.bfloat16 if fast else torch.float32


def prepare(name: str) -> Prepared:
    """Return the prepared files of an embedded model, making them the first time.

    Parameters
    ----------
    name
        Asset name of the GGUF file.

    Raises
    ------
    MissingExtraError
        When the part ``local`` is not installed.
    AssetError
        When the GGUF file cannot be fetched.
    """
    dtype = str(compute_dtype()).removeprefix("torch.")
    folder = cache_dir() / "models" / f"{name}-{dtype}-{LAYOUT}"
    shape, weights, tokenizer = (
        folder / each for each in ("shape.json", "model.safetensors", "tokenizer.json")
    )
    if not shape.exists():  # it is written last
        with locked(folder / ".lock"):
            if not shape.exists():
                _convert(fetch(name), weights, tokenizer, shape)
    return Prepared(weights, tokenizer, Shape(**loads(shape.read_text("utf-8"))))


def _convert(source: Path, weights: Path, tokenizer: Path, shape: Path) -> None:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtraError("The embedded language model", "local") from error
    from safetensors.torch import save_file

    from assay.llm.local.tokens import tokenizer_json

    reader = gguf.GGUFReader(source)
    read = _read_shape(reader)
    with writing(weights) as aside:
        save_file(_lay_out(reader, read), aside)
    write_text(tokenizer, tokenizer_json(_field(reader, "tokenizer.ggml.tokens"),
                                         _field(reader, "tokenizer.ggml.merges")))  # fmt: skip
    write_text(shape, dumps(asdict(read)))


def _field(reader: gguf.GGUFReader, name: str) -> Any:
    field = reader.get_field(name)
    if field is None:
        raise KeyError(name)
    return field.contents()


def _read_shape(reader: gguf.GGUFReader) -> Shape:
    def of(name: str) -> Any:
        return _field(reader, f"llama.{name}")

    return Shape(
        layers=of("block_count"),
        width=of("embedding_length"),
        inner=of("feed_forward_length"),
        heads=of("attention.head_count"),
        kv_heads=of("attention.head_count_kv"),
        vocabulary=of("vocab_size"),
        context=of("context_length"),
        rope_base=of("rope.freq_base"),
        epsilon=of("attention.layer_norm_rms_epsilon"),
    )


def _lay_out(reader: gguf.GGUFReader, shape: Shape) -> dict[str, torch.Tensor]:
    """Fuse q, k and v, and fold each norm's gain into the weights that read its output.

    Folding happens in float32 and rounds once, so it costs no accuracy and saves the decoder
    a pass over the activations.
    """
    import gguf
    import torch

    stored = {tensor.name: tensor for tensor in reader.tensors}

    def read(name: str) -> torch.Tensor:
        tensor = stored[name]
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        return torch.from_numpy(values.astype("float32"))

    def halves(weight: torch.Tensor, heads: int) -> torch.Tensor:
        """Undo GGUF's pairing of neighbours for RoPE: first halves, then second halves."""
        paired = weight.view(heads, shape.head // 2, 2, shape.width)
        return paired.transpose(1, 2).reshape(-1, shape.width)

    dtype = compute_dtype()
    out = {"embedding": read("token_embd.weight"), "norm": read("output_norm.weight")}
    for index in range(shape.layers):
        block, name = f"blk.{index}", f"layer.{index}"
        before, between = read(f"{block}.attn_norm.weight"), read(f"{block}.ffn_norm.weight")
        query = halves(read(f"{block}.attn_q.weight"), shape.heads)
        key = halves(read(f"{block}.attn_k.weight"), shape.kv_heads)
        out[f"{name}.qk"] = torch.cat([query, key]) * before
        out[f"{name}.v"] = read(f"{block}.attn_v.weight") * before
        out[f"{name}.out"] = read(f"{block}.attn_output.weight")
        out[f"{name}.gate"] = read(f"{block}.ffn_gate.weight") * between
        out[f"{name}.up"] = read(f"{block}.ffn_up.weight") * between
        out[f"{name}.down"] = read(f"{block}.ffn_down.weight")
    return {name: tensor.to(dtype).contiguous() for name, tensor in out.items()}
