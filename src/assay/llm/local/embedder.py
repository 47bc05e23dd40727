"""SentenceEmbedder: MiniLM's sentence vectors by a BERT forward of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.assets import fetch
from assay.errors import InputError, MissingExtraError
from assay.llm.guard import require_real_calls

try:
    import torch
    import torch.nn.functional as functional
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from torch import Tensor
except ImportError as error:
    raise MissingExtraError("The embedded sentence embedder", "local") from error

from assay.llm.local.parallel import Indices, Shape, batches, filled, in_parallel
from assay.llm.local.weights import compute_dtype

NAMES = ("minilm",)
MAX_TOKENS = 256
"""What the model was trained to read; the rest of a longer text is left out."""
BATCH_TOKENS = 512


@dataclass(frozen=True)
class _Block:
    """One encoder layer's weights and biases."""

    qkv: tuple[Tensor, Tensor]
    out: tuple[Tensor, Tensor]
    attention_norm: tuple[Tensor, Tensor]
    up: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    norm: tuple[Tensor, Tensor]


class SentenceEmbedder:
    """all-MiniLM-L6-v2 (Wang et al. 2020, tuned by sentence-transformers).

    Attributes
    ----------
    name
        ``local:minilm``.
    width
        Length of a vector, 384.
    """

    def __init__(self, name: str, config: Path, tokenizer: Path, weights: Path) -> None:
        self.name = f"local:{name}"
        shape = json.loads(config.read_text("utf-8"))
        self.width: int = shape["hidden_size"]
        self._heads: int = shape["num_attention_heads"]
        self._epsilon: float = shape["layer_norm_eps"]
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._read(load_file(weights), shape["num_hidden_layers"])

    @classmethod
    def load(cls, name: str = NAMES[0]) -> SentenceEmbedder:
        """Load the embedder, fetching it the first time.

        Parameters
        ----------
        name
            ``minilm``.

        Raises
        ------
        InputError
            When there is no embedder of that name.
        ModelError
            When real model calls are forbidden.
        AssetError
            When it is not cached and cannot be fetched.
        """
        if name not in NAMES:
            raise InputError("No embedded sentence embedder has this name.",
                             given=name, allowed=", ".join(NAMES))  # fmt: skip
        require_real_calls(f"local:{name}")
        parts = (fetch(f"{name}-{part}") for part in ("config", "tokenizer", "weights"))
        return cls(name, *parts)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector for each text, (n, 384).

        Only the first 256 tokens of a text are read.
        """
        out = np.empty((len(texts), self.width), dtype=np.float32)
        rows = [each.ids for each in self._tokenizer.encode_batch_fast(list(texts))]
        plan = batches([len(row) for row in rows], BATCH_TOKENS)
        work = partial(self._embed_batch, rows)
        with closing(in_parallel(work, plan)) as finished:
            for batch, vectors in finished:
                out[batch] = vectors
        return out

    def _embed_batch(
        self, every: Sequence[list[int]], shape: Shape, batch: Indices
    ) -> NDArray[np.float32]:
        some = filled([every[index] for index in batch], shape)
        with torch.inference_mode():
            return self._vectors(some, shape.width).numpy()[: len(batch)]

    def _vectors(self, rows: Sequence[list[int]], width: int) -> Tensor:
        lengths = torch.tensor([len(row) for row in rows])
        tokens = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        real = torch.arange(width) < lengths[:, None]
        x = self._tokens[tokens] + self._places[:width]
        x = self._normed(x, self._first_norm)
        mask = torch.zeros(real.shape, dtype=x.dtype).masked_fill_(~real, -torch.inf)
        mask = mask[:, None, None].expand(-1, 1, width, -1)
        for block in self._blocks:
            x = self._normed(x + self._attended(x, block, mask), block.attention_norm)
            inner = functional.gelu(functional.linear(x, *block.up))
            x = self._normed(x + functional.linear(inner, *block.down), block.norm)
        total = (x.float() * real[..., None]).sum(dim=1)
        return functional.normalize(total, dim=1)

    def _attended(self, x: Tensor, block: _Block, mask: Tensor) -> Tensor:
        mixed = functional.linear(x, *block.qkv)
        query, key, value = mixed.view(*x.shape[:2], 3, self._heads, -1).permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return functional.linear(out.transpose(1, 2).flatten(2), *block.out)

    def _normed(self, x: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return functional.layer_norm(x, (self.width,), *norm, eps=self._epsilon)

    def _read(self, stored: dict[str, Tensor], layers: int) -> None:
        dtype = compute_dtype()

        def pair(*names: str) -> tuple[Tensor, Tensor]:
            """Weights and biases of one or more maps, stacked."""
            weight, bias = (
                torch.cat([stored[f"{name}.{kind}"] for name in names]).to(dtype)
                for kind in ("weight", "bias")
            )
            return weight, bias

        kinds = stored["embeddings.token_type_embeddings.weight"]
        self._tokens = stored["embeddings.word_embeddings.weight"].to(dtype)
        self._places = (stored["embeddings.position_embeddings.weight"] + kinds[0]).to(dtype)
        self._first_norm = pair("embeddings.LayerNorm")
        self._blocks = [
            _Block(
                qkv=pair(*(f"{at}.attention.self.{part}" for part in ("query", "key", "value"))),
                out=pair(f"{at}.attention.output.dense"),
                attention_norm=pair(f"{at}.attention.output.LayerNorm"),
                up=pair(f"{at}.intermediate.dense"),
                down=pair(f"{at}.output.dense"),
                norm=pair(f"{at}.output.LayerNorm"),
            )
            for at in (f"encoder.layer.{index}" for index in range(layers))
        ]
