"""The few operations that a decoder is made of, in the form that a CPU runs fastest.

Bulk scoring spends two thirds of its time in matrix products, so what surrounds them must
touch memory as seldom as possible: activations, gating and residual sums are fused into the
products where oneDNN offers it, and grouped queries are attended without copying keys.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor

ROWS_HINT = 1024
"""Rows a product is expected to have; oneDNN lays weights out for it."""
CHUNK = 64
"""Values under one partial norm; divides every width."""


class Linear(Protocol):
    """A weight matrix (outputs, inputs) and the products that it takes part in."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x W'``."""
        ...

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' + other``."""
        ...

    def silu(self, x: Tensor) -> Tensor:
        """Return ``silu(x W')``."""
        ...

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' * other``."""
        ...


class PlainLinear:
    """Products by PyTorch's public operators; works everywhere."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x W'``."""
        return functional.linear(x, self._weight)

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' + other``."""
        return torch.addmm(other, x, self._weight.t())

    def silu(self, x: Tensor) -> Tensor:
        """Return ``silu(x W')``."""
        return functional.silu(self(x), inplace=True)

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' * other``."""
        return self(x).mul_(other)


class FusedLinear:
    """Products with a weight laid out once for oneDNN, and the next step fused in.

    These are the operators that PyTorch's own compiler emits for frozen models on a CPU.
    """

    def __init__(self, weight: Tensor) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS_HINT)

    def __call__(self, x: Tensor) -> Tensor:
        """Return ``x W'``."""
        return self._unary(x, "none")

    def silu(self, x: Tensor) -> Tensor:
        """Return ``silu(x W')``."""
        return self._unary(x, "swish")

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' + other``."""
        return self._binary(x, other, "add")

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        """Return ``x W' * other``."""
        return self._binary(x, other, "mul")

    def _unary(self, x: Tensor, name: str) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, None, name, [], "")
        return out

    def _binary(self, x: Tensor, other: Tensor, name: str) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self._weight, None, name)
        return out


def linear(weight: Tensor) -> Linear:
    """Return the fastest form of a weight matrix that works on this machine."""
    return FusedLinear(weight) if _fused_works(weight.dtype) else PlainLinear(weight)


@cache
def _fused_works(dtype: torch.dtype) -> bool:
    """Whether the fused products exist here and agree with the plain ones."""
    if dtype != torch.bfloat16:
        return False
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(64, 64, generator=generator).to(dtype)
    x = torch.randn(3, 64, generator=generator).to(dtype)
    try:
        fused, plain = FusedLinear(weight), PlainLinear(weight)
        pairs = [
            (fused.silu(x), plain.silu(x)),
            (fused.plus(x, x), plain.plus(x, x)),
            (fused.times(x, x), plain.times(x, x)),
        ]
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return all(torch.allclose(ours, theirs, rtol=0.05, atol=0.5) for ours, theirs in pairs)


def normalised(x: Tensor, epsilon: float) -> Tensor:
    """Return ``x`` (m, d) scaled to a root mean square of one in each row.

    Norms are taken over chunks in the activations' own type and summed in float32: PyTorch
    would otherwise widen the whole of ``x`` first.
    """
    size = torch.linalg.vector_norm(x.view(len(x), -1, CHUNK), dim=-1)
    square = size.float().square_().sum(dim=1, keepdim=True)
    scale: Tensor = square.div_(x.shape[-1]).add_(epsilon).rsqrt_()
    return x * scale.to(x.dtype)


class Rotation:
    """Rotary positions (Su et al. 2021).

    Parameters
    ----------
    positions
        Position of each row, of any shape.
    width
        Width of a head.
    base
        Wavelength base.
    dtype
        Of the activations.
    """

    def __init__(self, positions: Tensor, width: int, base: float, dtype: torch.dtype) -> None:
        rate = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
        angle = positions.to(torch.float64)[..., None, None] * rate
        cosine, sine = angle.cos().to(dtype), angle.sin().to(dtype)
        self._cosine = torch.cat([cosine, cosine], dim=-1)
        self._sine = sine

    def __call__(self, x: Tensor, out: Tensor) -> None:
        """Write ``x`` (positions' shape, heads, width), rotated, to ``out``."""
        half = x.shape[-1] // 2
        torch.mul(x, self._cosine, out=out)
        out[..., :half].addcmul_(x[..., half:], self._sine, value=-1)
        out[..., half:].addcmul_(x[..., :half], self._sine)


def attend(
    query: Tensor, key: Tensor, value: Tensor, *, causal: bool = False, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return attention outputs (b, heads, n, width) and log-sum-exps (b, heads, n).

    ``key`` and ``value`` (b, kv heads, m, width) may have fewer heads than ``query``; each
    serves a run of query heads.
    """
    heads, kv_heads = query.shape[1], key.shape[1]
    if heads != kv_heads and not _groups_natively():
        key, value = (each.repeat_interleave(heads // kv_heads, dim=1) for each in (key, value))
    out, size = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, is_causal=causal, attn_mask=mask
    )
    return out, size


@cache
def _groups_natively() -> bool:
    """Whether the attention kernel accepts fewer key heads than query heads."""
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, 5, 8, generator=generator)
    key = torch.randn(1, 2, 5, 8, generator=generator)
    wide = key.repeat_interleave(2, dim=1)
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    try:
        grouped: Tensor = kernel(query, key, key)[0]
        return torch.allclose(grouped, kernel(query, wide, wide)[0], atol=1e-5)
    except RuntimeError:
        return False


def merged(one: tuple[Tensor, Tensor], two: tuple[Tensor, Tensor]) -> Tensor:
    """Return attention over the union of two disjoint sets of keys, from each set's result."""
    weight = torch.sigmoid(two[1] - one[1]).to(one[0].dtype)
    return torch.lerp(one[0], two[0], weight[..., None])
