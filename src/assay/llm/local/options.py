"""Options as a tree of tokens, so that whole answers are scored and shared starts only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.errors import InputError

ROOT = 0


@dataclass(frozen=True)
class Step:
    """One token of an option, and the node (the tokens before it) that predicts it."""

    node: int
    token: int


@dataclass(frozen=True)
class OptionTree:
    """The states in which a model must be asked for its next token.

    The root is the prompt's last token. An option that another one continues is closed by
    the end-of-turn token, so that it is chosen only where the model would stop; the events
    "the answer begins with this option" are then disjoint, and whole options compare.

    Attributes
    ----------
    tokens
        Token of each node, the root's first.
    parents
        Parent of each node; the root is its own.
    steps
        For each option, its steps from the root.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    steps: tuple[tuple[Step, ...], ...]

    @classmethod
    def build(cls, root: int, options: Sequence[Sequence[int]], end: int) -> OptionTree:
        """Return the tree of the tokenised ``options`` under the token ``root``.

        Raises
        ------
        InputError
            When an option is empty or two are the same.
        """
        paths = [tuple(option) for option in options]
        if not paths or not all(paths) or len(set(paths)) < len(paths):
            raise InputError(
                "The options must be texts that differ from each other, none of them empty.",
                given=f"{len(paths)} options, {len(set(paths))} different",
            )
        closed = [
            (*path, end) if any(_continues(other, path) for other in paths) else path
            for path in paths
        ]
        nodes: dict[tuple[int, ...], int] = {(): ROOT}
        tokens, parents = [root], [ROOT]
        for path in closed:
            for depth in range(1, len(path)):
                start = path[:depth]
                if start not in nodes:
                    nodes[start] = len(tokens)
                    tokens.append(start[-1])
                    parents.append(nodes[start[:-1]])
        steps = tuple(
            tuple(Step(nodes[path[:depth]], path[depth]) for depth in range(len(path)))
            for path in closed
        )
        return cls(tuple(tokens), tuple(parents), steps)

    @property
    def depths(self) -> Tensor:
        """Depth of each node, (n,); the root's is 0."""
        return self.sees.sum(dim=1) - 1

    @property
    def sees(self) -> Tensor:
        """Which nodes each node sees, (n, n) booleans: itself and its ancestors."""
        sees = torch.eye(len(self.tokens), dtype=torch.bool)
        for node, parent in enumerate(self.parents):  # a parent comes before its children
            sees[node] |= sees[parent]
        return sees

    def probabilities(self, first: Tensor, later: Tensor) -> Tensor:
        """Return the probability of each option, (b, k) float64 with rows that sum to 1.

        Parameters
        ----------
        first
            Logits at the root of each option's first token, (b, k). Their normaliser is
            common to all options and is not needed.
        later
            Log-probabilities of :meth:`later_steps`, (b, steps).
        """
        scores = first.to(torch.float64)
        column = 0
        for option, steps in enumerate(self.steps):
            for _ in steps[1:]:
                scores[:, option] += later[:, column]
                column += 1
        return torch.softmax(scores, dim=1)

    @property
    def first_tokens(self) -> Tensor:
        """First token of each option, (k,)."""
        return torch.tensor([steps[0].token for steps in self.steps])

    @property
    def later_steps(self) -> list[Step]:
        """Every step after the first, option by option."""
        return [step for steps in self.steps for step in steps[1:]]


def _continues(longer: tuple[int, ...], path: tuple[int, ...]) -> bool:
    return len(longer) > len(path) and longer[: len(path)] == path
