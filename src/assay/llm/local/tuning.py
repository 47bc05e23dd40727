"""Fine-tunes the sentence encoder, with a linear head, to tell classes apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from assay.assets import fetch
from assay.llm.local.embedder import NAMES, SentenceEmbedder
from assay.llm.local.encoder import LAYER

EPOCHS = 3
BATCH = 32
ENCODER_RATE, HEAD_RATE = 5e-5, 5e-3
DECAY = 0.01
DROPPED = 0.1
"""Share of what each part of a layer adds that is left out while learning."""
WARM_UP = 0.1
"""Share of the steps in which the rate rises; then it falls to zero."""
SHARPNESS = 10.0
"""Unit vectors are stretched by it before the head, so that the head need not grow."""
READ = 128
"""Tokens of a text that are learned from."""
GROUPED = 16
"""Batches are cut from so many batches' worth of texts, sorted by length to spare padding."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TunedClassifier:
    """A sentence encoder and a linear head. It can be pickled.

    Attributes
    ----------
    name
        The embedder that was tuned.
    layers
        The encoder's tuned weights.
    weight, bias
        The head, (k, d) and (k,).
    """

    name: str
    layers: Mapping[str, Tensor]
    weight: Floats
    bias: Floats

    def scores(self, texts: Sequence[str]) -> Floats:
        """Return (n, k) scores, whose softmax are probabilities.

        A text's scores are the same to the last bit whatever texts are beside it.
        """
        vectors = _embedder(self.name).with_layers(self.layers).embed(texts)
        found = np.einsum("nd,kd->nk", vectors.astype(np.float64), self.weight)
        return np.asarray(found + self.bias)


def tuned(
    texts: Sequence[str],
    targets: Floats,
    counts: Floats,
    *,
    seed: int,
    told: Callable[[int, int], None] = lambda done, total: None,
    name: str = NAMES[0],
) -> TunedClassifier:
    """Return the encoder tuned to give texts their targets.

    AdamW (Loshchilov and Hutter 2019) on the encoder's layers and the head, three passes.

    Parameters
    ----------
    targets
        (n, k) probabilities.
    counts
        (n,) how much each text counts.
    told
        Is told how many steps are done, of how many.

    Raises
    ------
    ModelError, AssetError
        As :meth:`SentenceEmbedder.load`.
    """
    embedder = _embedder(name)
    rows = [row[:READ] for row in embedder.tokens(texts)]
    stored = load_file(fetch(f"{name}-weights"))
    layers = {
        each: tensor.float().clone().requires_grad_()
        for each, tensor in stored.items()
        if each.startswith(LAYER)
    }
    head = torch.zeros(targets.shape[1], embedder.width, requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    plan = list(_batches([len(row) for row in rows], np.random.default_rng(seed)))
    optimizer = torch.optim.AdamW(
        [{"params": list(layers.values())}, {"params": [head, bias]}], weight_decay=DECAY
    )
    aims, sizes = torch.tensor(targets).float(), torch.tensor(counts).float()
    with torch.random.fork_rng(devices=[]):  # what the caller draws is left as it was
        torch.manual_seed(seed)
        for step, batch in enumerate(plan):
            _set_rates(optimizer, (step + 1) / len(plan))
            some = [rows[index] for index in batch]
            encoder = embedder.encoder.with_layers(layers)
            vectors = encoder.vectors(some, max(map(len, some)), DROPPED)
            shares = functional.linear(SHARPNESS * vectors, head, bias).log_softmax(dim=1)
            each = -(aims[batch] * shares).sum(dim=1)
            optimizer.zero_grad()
            torch.autograd.backward((each * sizes[batch]).sum() / sizes[batch].sum())
            optimizer.step()
            told(step + 1, len(plan))
    kept = embedder.encoder.tokens.dtype
    return TunedClassifier(
        name,
        {each: tensor.detach().to(kept) for each, tensor in layers.items()},
        SHARPNESS * head.detach().double().numpy(),
        bias.detach().double().numpy(),
    )


def pace(texts: Sequence[str]) -> tuple[float, float]:
    """Return the seconds that a text takes to learn from once, and to judge, on this machine."""
    some = texts[: 2 * BATCH]
    even, moments = np.full((len(some), 2), 0.5), [time.perf_counter()]
    model = tuned(some, even, np.ones(len(some)), seed=0,
                  told=lambda *_: moments.append(time.perf_counter()))  # fmt: skip
    learning = float(np.median(np.diff(moments)[1:])) / min(BATCH, len(some))
    began = time.perf_counter()
    model.scores(some)
    return learning, (time.perf_counter() - began) / len(some)


@cache
def _embedder(name: str) -> SentenceEmbedder:
    return SentenceEmbedder.load(name)


def _set_rates(optimizer: Any, done: float) -> None:
    factor = min(1.0, done / WARM_UP) * (1.0 - done)
    for group, rate in zip(optimizer.param_groups, (ENCODER_RATE, HEAD_RATE), strict=True):
        group["lr"] = factor * rate


def _batches(lengths: Sequence[int], random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each step: all of them in each pass, those of like length together."""
    for _ in range(EPOCHS):
        order = random.permutation(len(lengths))
        found = []
        for begin in range(0, len(order), BATCH * GROUPED):
            group = order[begin : begin + BATCH * GROUPED]
            group = group[np.argsort([lengths[row] for row in group], kind="stable")]
            found += [group[at : at + BATCH] for at in range(0, len(group), BATCH)]
        for place in random.permutation(len(found)):
            yield found[place]
