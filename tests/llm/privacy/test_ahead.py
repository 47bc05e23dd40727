"""Redaction leaves the event loop alone, and looks through equal texts once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

import pytest

from assay.llm import Prompt
from assay.llm.privacy import redaction
from assay.llm.privacy.ahead import Ahead
from assay.llm.privacy.redaction import Redactor


class SlowLooks:
    """Takes its time, and notes what it was given and where."""

    def __init__(self, error: Exception | None = None) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[int] = set()
        self.error = error

    def knows(self, text: str) -> bool:
        return any(text in batch for batch in self.batches)

    def find(self, texts: Sequence[str]) -> None:
        time.sleep(0.05)
        if self.error is not None:
            raise self.error
        self.batches.append(list(texts))
        self.threads.add(threading.get_ident())


def test_texts_that_wait_go_together_in_another_thread() -> None:
    looks = SlowLooks()
    ahead = Ahead(looks)

    async def ask() -> int:
        turns = 0

        async def tick() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        await asyncio.gather(*(ahead.look(["told", f"row {row}"]) for row in range(300)))
        await ahead.look(["told", "row 7"])
        ticking.cancel()
        return turns

    assert asyncio.run(ask()) > 10  # the loop turned while texts were looked through
    ahead.close()
    assert len(looks.batches) == 3  # 600 texts, at most 256 at once
    assert {text for batch in looks.batches for text in batch} >= {"row 0", "row 299", "told"}
    assert threading.get_ident() not in looks.threads


def test_an_error_reaches_whoever_waits() -> None:
    ahead = Ahead(SlowLooks(ValueError("no model")))

    async def ask() -> list[BaseException | None]:
        return await asyncio.gather(
            *(ahead.look([str(row)]) for row in range(3)), return_exceptions=True
        )

    told = asyncio.run(ask())
    ahead.close()
    assert [str(each) for each in told] == ["no model"] * 3


def test_equal_texts_are_looked_through_once_and_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    redactor = Redactor(names=False)
    found = redactor._look_through

    def looking(texts: list[str]) -> list[redaction.Spans]:
        seen.extend(texts)
        return found(texts)

    monkeypatch.setattr(redactor, "_look_through", looking)
    monkeypatch.setattr(redaction, "REMEMBERED", 3)
    for text in ("a@b.org", "c@d.org", "a@b.org"):
        redactor.begin().hide_prompt(Prompt("Judge this.", text))
    assert seen == ["Judge this.", "a@b.org", "c@d.org"]
    redactor.find(["1", "2"])
    assert redactor.knows("c@d.org")
    assert not redactor.knows("a@b.org")
    assert redactor.begin().hide("a@b.org") == "<EMAIL_1>"


def test_other_patterns_are_another_question() -> None:
    plain, badges = Redactor(names=False), Redactor({"BADGE": "B-1"}, names=False)
    assert plain.version == Redactor(names=False).version != badges.version
