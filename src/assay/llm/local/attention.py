"""Who sees whom: one growing row, or a batch of short rows that share a prefix."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.llm.local.decoder import Decoder
from assay.llm.local.kernels import attend, merged

ALIGN = 16
"""The attention kernel runs up to 1.5 times slower on lengths that this does not divide."""


class Growing:
    """One row whose keys and values are kept: a prefix, or an answer that is being written.

    Parameters
    ----------
    decoder
        The network that reads it.
    room
        Most tokens it will hold.

    Attributes
    ----------
    length
        Tokens read so far.
    """

    def __init__(self, decoder: Decoder, room: int) -> None:
        shape = decoder.shape
        size = (shape.layers, 2, shape.kv_heads, room, shape.head)
        self._decoder = decoder
        self._store = torch.empty(size, dtype=decoder.dtype)
        self._heads = shape.heads
        self.length = 0
        self._new = 0

    def extend(self, tokens: list[int]) -> Tensor:
        """Read tokens; return the final state after the last of them, (1, width)."""
        self._new = len(tokens)
        self._rotate = self._decoder.rotation(torch.arange(self.length, self.length + self._new))
        states = self._decoder.states(torch.tensor(tokens), self)
        self.length += self._new
        return states

    @property
    def wanted(self) -> slice:
        """The newest token."""
        return slice(self._new - 1, self._new)

    def __call__(self, layer: int, query_key: Tensor, value: Tensor) -> Tensor:
        """Attend to all that is held, and to the new tokens up to each."""
        turned = torch.empty_like(query_key)
        self._rotate(query_key, turned)
        old, end = self.length, self.length + self._new
        keys, values = self._store[layer]
        keys[:, old:end] = turned[:, self._heads :].transpose(0, 1)
        values[:, old:end] = value.transpose(0, 1)
        query = turned[:, : self._heads].transpose(0, 1)[None]
        fresh = attend(query, keys[None, :, old:end], values[None, :, old:end], causal=True)
        out = merged(fresh, attend(query, *self.held(layer))) if old else fresh[0]
        if layer == self._decoder.shape.layers - 1:
            out = out[:, :, -1:]
        return out[0].transpose(0, 1).flatten(1)

    def held(self, layer: int) -> tuple[Tensor, Tensor]:
        """Return the keys and values of one layer so far, each (1, kv heads, n, width)."""
        keys, values = self._store[layer, :, None, :, : self.length]
        return keys, values


class Batch:
    """Many rows behind one prefix: each has a body, then a tree of nodes that see the body.

    The rows of a pass are all bodies (b x width), then all nodes (b x n). Queries and keys
    are rotated into one buffer, a body's first and its nodes' after it, so that what a node
    sees lies together and nothing is copied.

    Parameters
    ----------
    decoder
        The network that reads it.
    lengths
        Tokens in each body, (b,).
    width
        Tokens in the longest body; bodies are padded on their right to it.
    depths, sees
        Depth of each node in the tree, (n,), and which nodes it sees, (n, n) booleans.
    prefix
        What every row begins with, if anything.
    """

    def __init__(
        self,
        decoder: Decoder,
        lengths: Tensor,
        width: int,
        depths: Tensor,
        sees: Tensor,
        prefix: Growing | None,
    ) -> None:
        shape = decoder.shape
        self._last = shape.layers - 1
        self._heads, self._width, self._prefix = shape.heads, width, prefix
        self._rows, self._split = len(lengths), len(lengths) * width
        self._first_node = first = -(-width // ALIGN) * ALIGN
        start = prefix.length if prefix else 0
        self._rotate_body = decoder.rotation(torch.arange(width) + start)
        self._rotate_nodes = decoder.rotation(lengths[:, None] + depths + start)
        size = (len(lengths), first + len(depths))
        heads = shape.heads + shape.kv_heads
        self._turned = torch.zeros(*size, heads, shape.head, dtype=decoder.dtype)
        self._value = torch.zeros(*size, shape.kv_heads, shape.head, dtype=decoder.dtype)
        body = (torch.arange(first) < lengths[:, None])[:, None].expand(-1, len(depths), -1)
        seen = torch.cat([body, sees.expand(len(lengths), -1, -1)], dim=2)
        mask = torch.zeros(seen.shape, dtype=decoder.dtype)
        self._mask = mask.masked_fill_(~seen, -torch.inf)[:, None]

    @property
    def wanted(self) -> slice:
        """The nodes."""
        return slice(self._split, None)

    def __call__(self, layer: int, query_key: Tensor, value: Tensor) -> Tensor:
        """Attend within each row, then to the prefix."""
        self._place(query_key, value)
        first = self._first_node
        query = self._turned[:, :, : self._heads].transpose(1, 2)
        key = self._turned[:, :, self._heads :].transpose(1, 2)
        values = self._value.transpose(1, 2)
        nodes = attend(query[:, :, first:], key, values, mask=self._mask)
        if layer == self._last:
            return self._behind_prefix(layer, query[:, :, first:], *nodes).flatten(0, 1).flatten(1)
        bodies = attend(query[:, :, :first], key[:, :, :first], values[:, :, :first], causal=True)
        out = query_key.new_empty(len(query_key), self._heads, query_key.shape[-1])
        self._bodies(out).copy_(
            self._behind_prefix(layer, query[:, :, :first], *bodies)[:, : self._width]
        )
        self._nodes(out).copy_(self._behind_prefix(layer, query[:, :, first:], *nodes))
        return out.flatten(1)

    def _place(self, query_key: Tensor, value: Tensor) -> None:
        """Put the rows of a pass, rotated, where they attend from."""
        body, nodes = slice(0, self._width), slice(self._first_node, None)
        self._rotate_body(self._bodies(query_key), self._turned[:, body])
        self._rotate_nodes(self._nodes(query_key), self._turned[:, nodes])
        self._value[:, body] = self._bodies(value)
        self._value[:, nodes] = self._nodes(value)

    def _behind_prefix(self, layer: int, query: Tensor, out: Tensor, size: Tensor) -> Tensor:
        """Return (b, n, heads, width): ``out`` with the prefix attended to as well."""
        if self._prefix is not None:
            keys, values = self._prefix.held(layer)
            rows = (self._rows, -1, -1, -1)
            shared = attend(query, keys.expand(rows), values.expand(rows))
            out = merged((out, size), shared)
        return out.transpose(1, 2)

    def _bodies(self, x: Tensor) -> Tensor:
        return x[: self._split].view(self._rows, self._width, *x.shape[1:])

    def _nodes(self, x: Tensor) -> Tensor:
        return x[self._split :].view(self._rows, -1, *x.shape[1:])
