"""The screen of a review: what a person sees of one row."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assay.evidence import Evidence
from assay.label.review.clean import one_line, visible
from assay.label.review.desk import Desk
from assay.label.review.keys import Keys

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FOUND = 8


def draw(desk: Desk, console: Console, *, blind: bool = False, message: str = "") -> list[Text]:
    """Return the lines of the screen.

    Parameters
    ----------
    console
        Its width and height are kept to.
    blind
        Hide the suggestion and the votes, so that they sway nobody.
    message
        What went wrong with the last key.
    """
    from rich.text import Text

    rule = Text("─" * console.width, "dim")
    below = [*_suggestion(desk, blind), *_notes(desk), *_choices(desk.keys)]
    if message:
        below.append(Text(one_line(message), "bold red"))
    room = max(3, console.height - len(below) - 4)
    above = [Text(_heading(desk), "bold"), rule, *_row(desk, console, room), rule]
    return [*above, *below, Text(_help(desk.keys), "dim")]


def told(accuracy: Evidence | None) -> str:
    """Return an accuracy and its interval in a few words; empty where too little is checked."""
    if accuracy is None or accuracy.interval is None:
        return ""
    low, high = accuracy.interval.low, accuracy.interval.high
    return f"accuracy {accuracy.estimate:.0%} [{low:.0%}, {high:.0%}]"


def _heading(desk: Desk) -> str:
    session = desk.session
    parts = [
        desk.result.run,
        f"{session.checked} of {len(session.row_ids)} checked",
        f"{len(session.skipped)} skipped" if session.skipped else "",
        told(desk.reviewed.accuracy),
        f"row {one_line(str(desk.current))}",
    ]
    return "  ·  ".join(part for part in parts if part)


def _row(desk: Desk, console: Console, room: int) -> list[Text]:
    """Return a page of the row's text, wrapped."""
    from rich.text import Text

    fields, lines = desk.fields, []
    for name, value in fields.items():
        shown = Text(visible(value))
        if len(fields) > 1:
            shown = Text.assemble((f"{one_line(name)}: ", "bold"), shown)
        lines += list(shown.wrap(console, console.width, tab_size=4, overflow="fold"))
    if len(lines) <= room:
        return lines
    pages = -(-len(lines) // (room - 1))
    page = desk.keys.page % pages
    end = Text(f"… page {page + 1} of {pages}; v shows the next", "dim")
    return [*lines[page * (room - 1) : (page + 1) * (room - 1)], end]


def _suggestion(desk: Desk, blind: bool) -> Iterable[Text]:
    from rich.text import Text

    answers, row = desk.result.answers, desk.row
    if blind or answers.labels[row] is None:
        return
    sure = f"  {answers.probability[row]:.0%}"
    yield Text.assemble("suggested  ", (_words(answers.labels[row]), "bold green"), sure)
    for annotator, likely in desk.votes.items():
        shares = "  ".join(f"{one_line(name)} {share:.0%}" for name, share in likely)
        yield Text(f"  {one_line(annotator)}: {shares}", "dim")
    if row in answers.flags:
        yield Text(f"  {one_line(answers.flags[row])}", "yellow")


def _notes(desk: Desk) -> Iterable[Text]:
    from rich.text import Text

    for note in desk.session.notes(str(desk.current)):
        yield Text(f"note: {one_line(note)}", "cyan")


def _choices(keys: Keys) -> Iterable[Text]:
    from rich.text import Text

    if keys.mode == "note":
        yield Text(f"note: {one_line(keys.typed)}█", "cyan")
        return
    if keys.mode == "find":
        yield Text(f"/{one_line(keys.typed)}█", "cyan")
        first, *others = keys.found[:FOUND] or ["no class has this in its name"]
        yield Text.assemble((one_line(first), "bold"), "  ", "  ".join(map(one_line, others)))
        return
    line = Text()
    for key, name in keys.classes.items():
        style = "bold green" if name in keys.marked else ""
        line.append_text(Text.assemble((f" {key} ", "reverse"), " ", (one_line(name), style), "  "))
    if line:
        yield line


def _help(keys: Keys) -> str:
    if keys.mode != "row":
        return "enter done  ·  escape back"
    kind = keys.task.kind
    parts = [
        "enter these classes" if kind == "multi" else "",
        "enter accept" if kind != "multi" and keys.suggestion is not None else "",
        "e edit" if kind == "extract" else "",
        "r wrong",
        "/ find a class" if len(keys.task.class_names) > len(keys.classes) else "",
        "s skip",
        "u undo",
        "n note",
        "q quit",
    ]
    return "  ·  ".join(part for part in parts if part)


def _words(label: Any) -> str:
    if isinstance(label, str):
        return one_line(label)
    if isinstance(label, list) and all(isinstance(each, str) for each in label):
        return one_line(", ".join(label)) or "none of the classes"
    return one_line(json.dumps(label, ensure_ascii=False))
