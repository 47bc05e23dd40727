"""The fine-tuned student, with a stand-in for the encoder: what it is taught, and what counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.label.result import LabelResult
from assay.label.single.beside import weight_beside
from assay.label.single.fitted import TUNED
from assay.label.single.scores import Codes, Scores
from assay.label.single.student import parts_of
from assay.label.single.tuned import PARTS, PLACES
from assay.seeds import derive_seed
from label.test_single import TOPICS, broken_promises, right, rows
from labelled import SETTINGS, labelling

Teach = Callable[[Sequence[str], Scores], Any]


@dataclass
class Memory:
    """Knows by heart what it was taught, and of other texts what ``else_`` says."""

    known: dict[str, Scores]
    otherwise: Callable[[str], Scores]

    def scores(self, texts: Sequence[str]) -> Scores:
        found = [self.known.get(text, self.otherwise(text)) for text in texts]
        return np.array(found).reshape(len(texts), len(TOPICS))


def guess(text: str) -> Scores:
    return np.asarray(np.random.default_rng(derive_seed(0, "guess", text)).normal(size=len(TOPICS)))


def knows(text: str) -> Scores:
    number = int(text.rsplit(" ", 1)[1])
    return 6.0 * np.eye(3)[TRUTH[text]] if number % 8 else guess(text)


TRUTH: dict[str, int] = {}


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], Scores]], list[Any]]:
    """Put a memory in place of the encoder; return what each one was taught."""
    monkeypatch.setattr("assay.label.single.fit.EMBEDDER", SETTINGS.embed)
    monkeypatch.setattr("assay.label.single.tuned.FEWEST_TEXTS", 20)

    def use(otherwise: Callable[[str], Scores]) -> list[Any]:
        lessons: list[Any] = []

        def tuned(texts: Sequence[str], targets: Scores, counts: Scores, **_: Any) -> Memory:
            lessons.append((list(texts), targets, counts))
            known = {text: 20.0 * target for text, target in zip(texts, targets, strict=True)}
            return Memory(known, otherwise)

        monkeypatch.setattr("assay.llm.local.tuning.tuned", tuned)
        return lessons

    return use


def step(result: LabelResult) -> Any:
    (found,) = [each for each in result.steps if each.name == TUNED]
    return found


def test_a_gold_row_is_judged_by_what_never_saw_its_label(
    tmp_path: Path, taught: Callable[..., list[Any]]
) -> None:
    """A student that knows all it was taught by heart, and guesses else, measures as guessing."""
    lessons = taught(guess)
    truth, gold = rows(150, seed=1, wrong=0.3), rows(120, seed=2, wrong=0.3)
    with labelling(tmp_path) as label:
        result = label(truth.select("text"), list(TOPICS), gold)
    assert len(lessons) == len(PLACES)
    checked = dict(gold.iter_rows())
    for (cut, part), (texts, targets, counts) in zip(PLACES, lessons, strict=True):
        assert len(texts) == len(targets) == len(counts)
        assert (parts_of(texts, PARTS, cut) != part).all()
        known = [row for row, text in enumerate(texts) if text in checked]
        assert known
        names = list(TOPICS)
        assert [names[code] for code in targets[known].argmax(axis=1)] == [
            checked[texts[row]] for row in known
        ]
    assert step(result).alone < 0.5
    assert result.accuracy is not None
    assert result.accuracy.estimate < 0.85, "as high as the votes, not as the memory"


def test_a_student_that_knows_more_is_used_and_raises_accuracy(
    tmp_path: Path, taught: Callable[..., list[Any]]
) -> None:
    truth, gold = rows(150, seed=3, wrong=0.3), rows(120, seed=4, wrong=0.3)
    for table in (truth, gold):
        codes = [list(TOPICS).index(each) for each in table["label"]]
        TRUTH.update(zip(table["text"].to_list(), codes, strict=True))
    with labelling(tmp_path) as label:
        before = label(truth.select("text"), list(TOPICS), gold,
                       settings=SETTINGS.model_copy(update={"student": "linear"}))  # fmt: skip
        taught(knows)
        after = label(truth.select("text"), list(TOPICS), gold)
    assert all(each.name != TUNED for each in before.steps)
    assert step(after).used
    assert "does not show that it harms" in step(after).why
    assert right(after, truth) > right(before, truth) + 0.1
    assert TUNED in after.answers.votes


def test_a_student_that_is_proven_to_harm_is_left_out(
    tmp_path: Path, taught: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(guess)
    monkeypatch.setattr("assay.label.single.beside.weight_beside", lambda *_: 5.0)
    truth, gold = rows(150, seed=5), rows(120, seed=6)
    with labelling(tmp_path) as label:
        result = label(truth.select("text"), list(TOPICS), gold)
    assert not step(result).used
    assert "skipped" in step(result).why
    assert TUNED not in result.answers.votes
    assert right(result, truth) > 0.95


def test_too_few_rows_to_learn_from_are_told(
    tmp_path: Path, taught: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = taught(guess)
    monkeypatch.setattr("assay.label.single.tuned.FEWEST_TEXTS", 200)
    with labelling(tmp_path) as label:
        result = label(rows(150, seed=7).select("text"), list(TOPICS), rows(120, seed=8))
    assert not lessons
    assert step(result).why == "skipped: 150 rows without a label are too few to learn from"


def test_rows_that_are_all_alike_are_not_learned_from(
    tmp_path: Path, taught: Callable[..., list[Any]]
) -> None:
    lessons = taught(guess)
    alike = rows(1, seed=9).select("text").sample(150, with_replacement=True)
    settings = SETTINGS.model_copy(update={"copies": "off"})
    with labelling(tmp_path) as label:
        result = label(alike, list(TOPICS), rows(120, seed=8), settings=settings)
    assert not lessons
    assert step(result).why == "skipped: the rows are too alike to be cut in parts"


def test_the_weight_is_what_explains_the_classes() -> None:
    random = np.random.default_rng(0)
    codes: Codes = random.integers(0, 3, 400)
    good, bad = np.eye(3)[codes] * 2 + random.normal(size=(400, 3)), random.normal(size=(400, 3))
    assert weight_beside(bad, good, codes, None) > 2
    assert weight_beside(good, bad, codes, None) < 0.2
    drawn = np.repeat([1.0, 0.0], 200)
    swapped = np.where(drawn[:, None] > 0, good, bad), np.where(drawn[:, None] > 0, bad, good)
    assert weight_beside(*swapped, codes, drawn) < 0.2, "rows of weight 0 do not count"


@pytest.mark.slow
def test_the_guarantee_holds_with_the_student(
    tmp_path: Path, taught: Callable[..., list[Any]]
) -> None:
    taught(guess)
    assert broken_promises(tmp_path, draws=20) <= 4, "5 % of 20 draws, and three standard errors"
