"""The decoder: a Llama's forward pass. How its rows attend to each other is given to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from assay.llm.local.kernels import Linear, Rotation, linear, normalised
from assay.llm.local.weights import Prepared, Shape


class Attention(Protocol):
    """How the rows of one pass attend to each other, and to what was read before."""

    @property
    def wanted(self) -> slice:
        """The rows whose final state is wanted."""
        ...

    def __call__(self, layer: int, query_key: Tensor, value: Tensor) -> Tensor:
        """Return the attention's output (rows, width).

        The last layer returns the wanted rows alone.

        Parameters
        ----------
        layer
            Which layer asks, from 0.
        query_key
            Queries, then keys, not yet rotated: (m, heads + kv heads, head width).
        value
            Values, (m, kv heads, head width).
        """
        ...


@dataclass(frozen=True)
class _Layer:
    qk: Linear
    v: Linear
    out: Linear
    gate: Linear
    up: Linear
    down: Linear


_PARTS = ("qk", "v", "out", "gate", "up", "down")


class Decoder:
    """The embedded language model's network.

    Parameters
    ----------
    prepared
        Its files and dimensions.

    Attributes
    ----------
    shape
        Its dimensions.
    dtype
        Of its weights and activations.
    """

    def __init__(self, prepared: Prepared) -> None:
        tensors = prepared.tensors()
        self.shape: Shape = prepared.shape
        self._embedding = tensors["embedding"]
        self._norm = tensors["norm"]
        self.dtype = self._embedding.dtype
        self._layers = [
            _Layer(**{part: linear(tensors[f"layer.{index}.{part}"]) for part in _PARTS})
            for index in range(self.shape.layers)
        ]

    def rotation(self, positions: Tensor) -> Rotation:
        """Return what rotates queries and keys at these positions."""
        return Rotation(positions, self.shape.head, self.shape.rope_base, self.dtype)

    def states(self, tokens: Tensor, attention: Attention) -> Tensor:
        """Return the final, normalised states of the wanted rows, (wanted, width).

        Parameters
        ----------
        tokens
            Token of each row, (m,).
        attention
            How rows attend.
        """
        shape = self.shape
        x = self._embedding[tokens]
        for index, layer in enumerate(self._layers):
            read = normalised(x, shape.epsilon)
            query_key = layer.qk(read).view(len(x), -1, shape.head)
            value = layer.v(read).view(len(x), -1, shape.head)
            attended = attention(index, query_key, value)
            if index == shape.layers - 1:
                x = x[attention.wanted].contiguous()
            x = layer.out.plus(attended, x)
            read = normalised(x, shape.epsilon)
            x = layer.down.plus(layer.up.times(read, layer.gate.silu(read)), x)
        return normalised(x, shape.epsilon) * self._norm

    def logits(self, states: Tensor) -> Tensor:
        """Return float32 logits, (m, vocabulary)."""
        return torch.nn.functional.linear(states, self._embedding).float()

    def logits_of(self, states: Tensor, tokens: Tensor) -> Tensor:
        """Return float32 logits of some tokens alone, (m, k)."""
        return torch.nn.functional.linear(states, self._embedding[tokens]).float()
