"""``assay ask``: a question about the work, answered by code that ran before it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assay.ask import Answer, Library, Snippet, Trial
    from assay.project import Project

NOT_MET = 1


def ask(
    question: Annotated[str, typer.Argument(help="For example: split by customer")],
    model: Annotated[
        str | None, typer.Option(help="Who writes the code; by default the recipe book answers.")
    ] = None,
    take: Annotated[int, typer.Option(help="Which of the nearest recipes, 1 to 4.")] = 1,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no package index.")] = False,
    code: Annotated[bool, typer.Option("--code", help="Print the code and nothing else.")] = False,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Answer a question with code that ran on your rows and kept its promise.

    Outside a project, and where your rows lack what the code needs, it runs on made-up rows and
    says so. Exit code 1 where nothing kept its promise.
    """
    from assay.ask import ask as answer_to

    with console(err=True).status("trying it"):
        answer = answer_to(
            question, project=_project(path), model=model, take=take, offline=offline
        )
    if as_json:
        emit_json(answer.as_dict())
    elif code:
        typer.echo("" if answer.snippet is None else _printable(answer.snippet.code), nl=False)
    else:
        _show(answer)
    if not answer.ok:
        raise typer.Exit(NOT_MET)


def _project(path: Path) -> Project | None:
    """Return the project of ``path``; None where no folder was named and there is none."""
    from assay.project import Project

    return Project.find() if path == Path() else Project.open(path)


def _show(answer: Answer) -> None:
    """Print an answer; of its code each line as one, so that it can be copied."""
    from rich.syntax import Syntax
    from rich.text import Text

    from assay.label.shown import visible

    snippet = answer.snippet
    if snippet is None:
        nothing = Text("Nothing in the book is near this question.", "bold yellow")
        console().print(nothing, *_others(answer, first=1), sep="\n")
        return
    console().print(Text(visible(snippet.title), "bold"))
    console().print(Text(f"from {snippet.origin}", "dim"))
    coloured = Syntax("", "python", background_color="default").highlight(_printable(snippet.code))
    console().print(coloured, soft_wrap=True)
    console().print(*_about(answer, snippet), sep="\n")


def _about(answer: Answer, snippet: Snippet) -> list[RenderableType]:
    from rich.text import Text

    from assay.label.shown import visible

    parts: list[RenderableType] = [Text(f"Promise: {visible(snippet.promise)}.")]
    if answer.trial is not None:
        parts.append(_fared(answer.trial, answer.attempts))
        if answer.trial.weakness:
            parts.append(Text(answer.trial.weakness, "yellow"))
    parts += [_library(each) for each in answer.libraries]
    return [*parts, *_others(answer, first=2)]


def _fared(trial: Trial, attempts: int) -> RenderableType:
    from rich.text import Text

    from assay.label.shown import visible

    where = f"on {trial.rows:,} {trial.whose}, in the {trial.sandbox} sandbox"
    if trial.met:
        return Text(f"kept: it ran {where}, in {trial.seconds:.1f} s", "green")
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    return Text(f"FAILED{tries} {where}: {visible(trial.why)}", "bold red")


def _library(library: Library) -> RenderableType:
    from rich.text import Text

    from assay.label.shown import visible

    known = {
        "latest": library.latest,
        "released": library.released,
        "licence": library.licence,
        "installed here": library.installed,
    }
    facts = [f"{name} {value}" for name, value in known.items() if value is not None]
    line = Text(f"{visible(library.name)}: {visible(', '.join(facts) or 'nothing is known')}")
    for warning in library.warnings:
        line.append(f"; {warning}", "yellow")
    return line


def _others(answer: Answer, *, first: int) -> list[RenderableType]:
    from rich.text import Text

    if not answer.others:
        return []
    told = [f"  {title}" for title in answer.others]
    hint = "" if answer.similarity is None or first == 1 else " (--take 2, 3 or 4)"
    return [Text(f"Also near{hint}:\n" + "\n".join(told), "dim")]


def _printable(code: str) -> str:
    """Return code whose characters cannot steer a terminal, line by line."""
    from assay.label.shown import visible

    lines = code.expandtabs(4).splitlines()
    return "".join(f"{visible(line)}\n" for line in lines)
