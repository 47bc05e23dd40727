"""Answers of a file become decisions: all of them, or none and the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.errors import InputError, shorten
from assay.label.kinds import kind_of
from assay.label.result import LabelResult
from assay.label.review.formats.rows import Answer, Row, rows_of
from assay.label.review.record import Decision
from assay.label.tabled import as_texts
from assay.tables.rows import ROW_ID

NAMED = 3


@dataclass(frozen=True)
class Taken:
    """What a file brought.

    Attributes
    ----------
    decisions
        To be recorded.
    skipped, unanswered, repeated
        Answers left out: skipped on purpose, not given yet, and given twice alike.
    missing
        Rows that were expected and are not in the file.
    """

    decisions: tuple[Decision, ...]
    skipped: int
    unanswered: int
    repeated: int
    missing: tuple[str, ...]


def take(answers: Sequence[Answer], result: LabelResult, expected: Iterable[str] = ()) -> Taken:
    """Return the decisions in a file's answers.

    Parameters
    ----------
    expected
        Ids of the rows that were sent out.

    Raises
    ------
    InputError
        When a row is unknown or was edited, a label is none of the task's, or one person gives
        one row two labels. It counts each, with examples; nothing is taken in.
    """
    known = set(result.rows.table[ROW_ID])
    problems: dict[str, list[str]] = {}
    wanted = [each for each in answers if each.row_id in known]
    for each in answers:
        if each.row_id not in known:
            problems.setdefault("unknown row", []).append(each.row_id)
    sent = {each.row_id: each for each in rows_of(result, [each.row_id for each in wanted])}
    decisions: dict[tuple[str, str], Decision] = {}
    counts: Counter[str] = Counter()
    for each in wanted:
        reason, made = _decided(each, sent[each.row_id], result)
        if reason:
            problems.setdefault(reason, []).append(each.row_id)
        elif made is None:
            counts[each.said] += 1
        else:
            before = decisions.get((made.reviewer, made.row_id))
            if before is not None and as_texts([before.label]) != as_texts([made.label]):
                problems.setdefault("two labels by one person", []).append(each.row_id)
            counts["repeated"] += before is not None
            decisions[made.reviewer, made.row_id] = made
    if problems:
        raise _refused(problems)
    present = {each.row_id for each in answers}
    missing = tuple(each for each in expected if each not in present)
    return Taken(tuple(decisions.values()), counts["skip"], counts["nothing"],
                 counts["repeated"], missing)  # fmt: skip


def _decided(answer: Answer, row: Row, result: LabelResult) -> tuple[str, Decision | None]:
    """Return a reason to refuse the file, or the decision; neither where nothing was said."""
    if answer.problem:
        return answer.problem, None
    sent = {"text": row.text, **row.fields} if "text" not in row.fields else row.fields
    if any(_plain(sent.get(name)) != _plain(value) for name, value in answer.fields.items()):
        return "text was edited", None
    if answer.said != "label":
        return "", None
    try:
        label = kind_of(result.task).check(answer.label, result.task)
    except InputError:
        return f"label {shorten(str(answer.label), 40)!r} is none of the task's", None
    return "", Decision(answer.row_id, "label", answer.reviewer, label, answer.note)


def _plain(text: str | None) -> str:
    """Return a text without what files change about line breaks and blanks at its ends."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _refused(problems: dict[str, list[str]]) -> InputError:
    parts = []
    for reason, rows in problems.items():
        named = ", ".join(shorten(each, 30) for each in rows[:NAMED])
        more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
        parts.append(f"{reason} (row {named}{more})")
    return InputError(
        "The file was not taken in: " + "; ".join(parts) + ".",
        next_step="correct these and import it again; nothing was recorded",
    )
