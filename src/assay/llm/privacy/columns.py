"""Prompts on their way out: each says which columns it was made of, and is checked when read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from assay.llm.prompt import Prompt

Check = Callable[[tuple[str, ...] | None], None]
"""Raises where what was made of these columns must not leave."""


class CheckedPrompts(Sequence[Prompt]):
    """A sequence of prompts that hands out none whose columns must not leave.

    It is as lazy as the sequence that it reads.
    """

    def __init__(self, prompts: Sequence[Prompt], check: Check) -> None:
        self._prompts = prompts
        self._check = check

    def __len__(self) -> int:
        return len(self._prompts)

    @overload
    def __getitem__(self, index: int) -> Prompt: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Prompt]: ...
    def __getitem__(self, index: int | slice) -> Prompt | Sequence[Prompt]:
        if isinstance(index, slice):
            return CheckedPrompts(self._prompts[index], self._check)
        prompt = self._prompts[index]
        self._check(prompt.columns)
        return prompt
