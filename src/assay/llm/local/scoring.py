"""Scoring many prompts: length-sorted batches behind one shared prefix."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from assay.llm.local.attention import Batch, Growing
from assay.llm.local.decoder import Decoder
from assay.llm.local.options import ROOT, OptionTree
from assay.llm.local.parallel import Indices, Shape, batches, filled, in_parallel, one_thread
from assay.llm.local.tokens import ChatTokenizer
from assay.llm.prompt import Prompt

BATCH_TOKENS = 640
"""A thread's batch: enough for the matrix units, little enough for its core's cache."""
MIN_PREFIX = 8
"""Below so many tokens, attending to a separate prefix costs more than it saves."""
HEAD_POSITIONS = 256
"""Positions whose whole vocabulary is computed at once; bounds memory."""


@dataclass(frozen=True)
class Encoded:
    """One prompt as tokens: what precedes the text, the text (cut to fit), what follows.

    Attributes
    ----------
    head, text, tail
        Tokens.
    cut
        Whether tokens were left out of the middle of the text.
    """

    head: list[int]
    text: list[int]
    tail: list[int]
    cut: bool

    @property
    def tokens(self) -> list[int]:
        """The whole prompt."""
        return self.head + self.text + self.tail


def encode(
    tokenizer: ChatTokenizer, prompts: Sequence[Prompt], context: int, max_text: int | None
) -> list[Encoded]:
    """Return prompts as tokens, each text cut in its middle where it is too long.

    Parameters
    ----------
    tokenizer
        Of the model.
    prompts
        What to encode.
    context
        Most tokens a whole prompt may have.
    max_text
        Most tokens a text may have; the context's remainder when ``None``.
    """
    heads: dict[tuple[object, ...], list[int]] = {}
    tails: dict[str, list[int]] = {}
    out = []
    for prompt, text in zip(prompts, tokenizer.texts(prompts), strict=True):
        if prompt.cue not in tails:
            tails[prompt.cue] = tokenizer.tail(prompt.cue)
        tail = tails[prompt.cue]
        key = (prompt.instructions, prompt.examples, prompt.cue)
        if key not in heads:
            heads[key] = _cut(tokenizer.head(prompt), context // 2)
        head = heads[key]
        room = context - len(head) - len(tail)
        kept = _cut(text, room if max_text is None else min(room, max_text))
        out.append(Encoded(head, kept, tail, len(kept) < len(text)))
    return out


def _cut(tokens: list[int], room: int) -> list[int]:
    """Keep the first two thirds and the last third of ``room`` tokens."""
    if len(tokens) <= room:
        return tokens
    last = room // 3
    return tokens[: room - last] + tokens[len(tokens) - last :]


@dataclass(frozen=True)
class Scorer:
    """Scores encoded prompts against one option tree.

    Attributes
    ----------
    decoder
        The network.
    tree
        The options.
    reuse_prefix
        Compute what all prompts begin with once.
    """

    decoder: Decoder
    tree: OptionTree
    reuse_prefix: bool = True

    def score(self, rows: Sequence[Encoded]) -> Generator[tuple[Indices, NDArray[np.float64]]]:
        """Yield the indices of each finished batch and its probabilities (b, k)."""
        prefix = self._prefix(rows)
        start = prefix.length if prefix else 0
        # The last token is the option tree's root, so it is not part of the body.
        bodies = [row.tokens[start:-1] for row in rows]
        nodes = len(self.tree.tokens)
        plan = batches([len(body) + nodes for body in bodies], BATCH_TOKENS)

        def work(shape: Shape, batch: Indices) -> NDArray[np.float64]:
            some = filled([bodies[index] for index in batch], shape)
            return self._score_batch(some, shape.width - nodes, prefix)[: len(batch)]

        yield from in_parallel(work, plan)

    def _prefix(self, rows: Sequence[Encoded]) -> Growing | None:
        heads = list({id(row.head): row.head for row in rows}.values())
        common = list(_shared_start(heads))
        if not self.reuse_prefix or len(common) < MIN_PREFIX:
            return None
        prefix = Growing(self.decoder, len(common))
        with torch.inference_mode(), one_thread():
            prefix.extend(common)
        return prefix

    def _score_batch(
        self, bodies: Sequence[list[int]], width: int, prefix: Growing | None
    ) -> NDArray[np.float64]:
        tree, decoder = self.tree, self.decoder
        lengths = torch.tensor([len(body) for body in bodies])
        padded = torch.tensor([body + [0] * (width - len(body)) for body in bodies])
        nodes = torch.tensor(tree.tokens).repeat(len(bodies))
        with torch.inference_mode():
            attention = Batch(decoder, lengths, width, tree.depths, tree.sees, prefix)
            states = decoder.states(torch.cat([padded.flatten(), nodes]), attention)
            by_row = states.view(len(bodies), len(tree.tokens), -1)
            first = decoder.logits_of(by_row[:, ROOT], tree.first_tokens)
            return tree.probabilities(first, self._later(by_row)).numpy()

    def _later(self, by_row: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities of the tree's later steps, (b, steps)."""
        steps = self.tree.later_steps
        asked = sorted({step.node for step in steps})
        states = by_row[:, asked].flatten(0, 1)
        out = torch.empty(len(states), len(steps))
        tokens = [step.token for step in steps]
        for begin in range(0, len(states), HEAD_POSITIONS):
            chunk = slice(begin, begin + HEAD_POSITIONS)
            logits = self.decoder.logits(states[chunk])
            out[chunk] = logits[:, tokens] - logits.logsumexp(dim=1, keepdim=True)
        rows = [asked.index(step.node) for step in steps]
        return out.view(len(by_row), len(asked), len(steps))[:, rows, list(range(len(steps)))]


def _shared_start(heads: Sequence[list[int]]) -> Iterator[int]:
    for column in zip(*heads, strict=False):
        if len(set(column)) > 1:
            return
        yield column[0]
