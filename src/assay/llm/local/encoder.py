"""Encoder: a BERT forward of our own, from tokens to sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor

from assay.llm.local.weights import compute_dtype

LAYER = "encoder.layer."
"""How the names of a layer's weights begin."""

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Block:
    """One layer's weights and biases."""

    qkv: Pair
    out: Pair
    attention_norm: Pair
    up: Pair
    down: Pair
    norm: Pair


@dataclass(frozen=True)
class Encoder:
    """The weights, in the number format of the computation.

    Attributes
    ----------
    tokens, places
        (vocabulary, width) and (positions, width).
    """

    tokens: Tensor
    places: Tensor
    first_norm: Pair
    blocks: tuple[Block, ...]
    heads: int
    epsilon: float

    @classmethod
    def of(cls, stored: Mapping[str, Tensor], config: Mapping[str, Any]) -> Encoder:
        """Return the encoder of a BERT checkpoint and its ``config.json``."""
        dtype = compute_dtype()
        kinds = stored["embeddings.token_type_embeddings.weight"]
        return cls(
            tokens=stored["embeddings.word_embeddings.weight"].to(dtype),
            places=(stored["embeddings.position_embeddings.weight"] + kinds[0]).to(dtype),
            first_norm=_pair(stored, "embeddings.LayerNorm"),
            blocks=_blocks(stored, config["num_hidden_layers"]),
            heads=config["num_attention_heads"],
            epsilon=config["layer_norm_eps"],
        )

    def with_layers(self, stored: Mapping[str, Tensor]) -> Encoder:
        """Return the encoder with other layers; gradients flow back to what is stored."""
        return replace(self, blocks=_blocks(stored, len(self.blocks)))

    def vectors(self, rows: Sequence[Sequence[int]], width: int, dropped: float = 0.0) -> Tensor:
        """Return unit vectors, (n, d), of n rows of at most ``width`` tokens.

        While learning, a share ``dropped`` of what each part of a layer adds is left out.
        """
        lengths = torch.tensor([len(row) for row in rows])
        tokens = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
        real = torch.arange(width) < lengths[:, None]
        x = self.tokens[tokens] + self.places[:width]
        x = self._normed(x, self.first_norm)
        mask = torch.zeros(real.shape, dtype=x.dtype).masked_fill_(~real, -torch.inf)
        mask = mask[:, None, None].expand(-1, 1, width, -1)
        for block in self.blocks:
            added = _thinned(self._attended(x, block, mask), dropped)
            x = self._normed(x + added, block.attention_norm)
            inner = functional.gelu(functional.linear(x, *block.up))
            added = _thinned(functional.linear(inner, *block.down), dropped)
            x = self._normed(x + added, block.norm)
        total = (x.float() * real[..., None]).sum(dim=1)
        return functional.normalize(total, dim=1)

    def _attended(self, x: Tensor, block: Block, mask: Tensor) -> Tensor:
        mixed = functional.linear(x, *block.qkv)
        query, key, value = mixed.view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attend = _attention if torch.is_grad_enabled() else functional.scaled_dot_product_attention
        out = attend(query, key, value, mask)
        return functional.linear(out.transpose(1, 2).flatten(2), *block.out)

    def _normed(self, x: Tensor, norm: Pair) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], *norm, eps=self.epsilon)


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attend in plain steps, which are several times faster to go back through than torch's own."""
    shares = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5 + mask
    return torch.matmul(shares.softmax(dim=-1), value)


def _thinned(x: Tensor, dropped: float) -> Tensor:
    """Leave out a share of numbers, rounded to 256ths: a byte is drawn for each, 8 at a time."""
    level = round(dropped * 256)
    if level == 0:
        return x
    drawn = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    kept = drawn.view(torch.uint8)[: x.numel()].view(x.shape) >= level
    return x * kept * (256 / (256 - level))


def _pair(stored: Mapping[str, Tensor], *names: str) -> Pair:
    """Return weights and biases of one or more maps, stacked."""
    weight, bias = (
        torch.cat([stored[f"{name}.{kind}"] for name in names]).to(compute_dtype())
        for kind in ("weight", "bias")
    )
    return weight, bias


def _blocks(stored: Mapping[str, Tensor], layers: int) -> tuple[Block, ...]:
    return tuple(
        Block(
            qkv=_pair(
                stored, *(f"{at}.attention.self.{part}" for part in ("query", "key", "value"))
            ),
            out=_pair(stored, f"{at}.attention.output.dense"),
            attention_norm=_pair(stored, f"{at}.attention.output.LayerNorm"),
            up=_pair(stored, f"{at}.intermediate.dense"),
            down=_pair(stored, f"{at}.output.dense"),
            norm=_pair(stored, f"{at}.output.LayerNorm"),
        )
        for at in (f"{LAYER}{index}" for index in range(layers))
    )
