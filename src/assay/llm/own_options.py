"""Rows that choose among options of their own, such as a shortlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

from assay.errors import InputError
from assay.llm.prompt import Prompt

Options = Sequence[str] | Sequence[Sequence[str]]
"""What all rows choose among, or one list for each row, all of one length."""


@dataclass(frozen=True)
class OwnOptions(Sequence[Prompt]):
    """Prompts with the options of each; made when they are asked for, as the prompts may be."""

    prompts: Sequence[Prompt]
    lists: Sequence[tuple[str, ...]]

    @overload
    def __getitem__(self, index: int) -> Prompt: ...
    @overload
    def __getitem__(self, index: slice) -> OwnOptions: ...
    def __getitem__(self, index: int | slice) -> Prompt | OwnOptions:
        if isinstance(index, slice):
            return OwnOptions(self.prompts[index], self.lists[index])
        return replace(self.prompts[index], options=self.lists[index])

    def __len__(self) -> int:
        return len(self.prompts)


def with_options(
    prompts: Sequence[Prompt], options: Options
) -> tuple[Sequence[Prompt], tuple[str, ...], Sequence[tuple[str, ...]]]:
    """Return prompts, the names of the columns, and each row's own options where it has some.

    Raises
    ------
    InputError
        When lists of options do not fit the rows, or a list repeats an option.
    """
    if not options or isinstance(options[0], str):
        return prompts, tuple(str(each) for each in options), ()
    lists = [tuple(each) for each in options]
    sizes = {len(each) for each in lists}
    if len(lists) != len(prompts) or len(sizes) > 1:
        raise InputError(
            "Options by row are one list for each row, all of one length.",
            given=f"{len(lists)} lists of {sorted(sizes)} options for {len(prompts)} rows",
        )
    for each in lists:
        if len(set(each)) < len(each):
            raise InputError("options must be at least two different answers.", given=list(each))
    places = tuple(str(place) for place in range(1, 1 + sizes.pop()))
    return OwnOptions(prompts, lists), places, lists
