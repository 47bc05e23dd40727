"""SentenceEmbedder: MiniLM's sentence vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from copy import copy
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.assets import fetch
from assay.errors import InputError, MissingExtraError
from assay.llm.guard import require_real_calls

try:
    import torch
    from safetensors.torch import load_file
    from tokenizers import Tokenizer
    from torch import Tensor
except ImportError as error:
    raise MissingExtraError("The embedded sentence embedder", "local") from error

from assay.llm.local.encoder import Encoder
from assay.llm.local.parallel import Indices, Shape, batches, filled, in_parallel

NAMES = ("minilm",)
MAX_TOKENS = 256
"""What the model was trained to read; the rest of a longer text is left out."""
BATCH_TOKENS = 512


class SentenceEmbedder:
    """all-MiniLM-L6-v2 (Wang et al. 2020, tuned by sentence-transformers).

    Attributes
    ----------
    name
        ``local:minilm``.
    width
        Length of a vector, 384.
    encoder
        The weights.
    """

    def __init__(self, name: str, config: Path, tokenizer: Path, weights: Path) -> None:
        self.name = f"local:{name}"
        shape = json.loads(config.read_text("utf-8"))
        self.width: int = shape["hidden_size"]
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self.encoder = Encoder.of(load_file(weights), shape)

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

    def with_layers(self, stored: Mapping[str, Tensor]) -> SentenceEmbedder:
        """Return the same embedder with other layers, such as tuned ones."""
        other = copy(self)
        other.encoder = self.encoder.with_layers(stored)
        return other

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return what is read of each text, its first 256 tokens."""
        return [each.ids for each in self._tokenizer.encode_batch_fast(list(texts))]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector for each text, (n, 384).

        Only the first 256 tokens of a text are read.
        """
        out = np.empty((len(texts), self.width), dtype=np.float32)
        rows = self.tokens(texts)
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
            return self.encoder.vectors(some, shape.width).numpy()[: len(batch)]
