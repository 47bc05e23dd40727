"""The application: commands found by name, errors told once, exit codes kept."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assay.cli.commands import COMMANDS

EXIT_INTERRUPTED = 130


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are invoked."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in their order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command; for a help page only its line of help."""
        command = COMMANDS.get(cmd_name)
        if command is None:
            return None
        if not _invoked(cmd_name):
            return _line(cmd_name, command.help)
        return _loaded(cmd_name, command.home)


app = typer.Typer(
    name="assay",
    cls=LazyGroup,
    help="A co-pilot for building models that keeps only what a test on your data has passed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from assay import __version__

        typer.echo(f"assay {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line and exit with its code: 2 for a mistake, 130 when interrupted."""
    from assay.errors import AssayError

    as_json = "--json" in sys.argv
    try:
        app()
    except AssayError as error:
        _tell(error, as_json=as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("stopped; run the same command again to continue", err=True)
        sys.exit(EXIT_INTERRUPTED)


def _tell(error: Any, *, as_json: bool) -> None:
    if as_json:
        import json

        typer.echo(json.dumps(error.as_dict(), ensure_ascii=False))
        return
    from assay.cli.output import console

    console(err=True).print(f"[bold red]error[/]  {_escaped(error.problem)}", highlight=False)
    for label, part in (
        ("given", error.given),
        ("allowed", error.allowed),
        ("next", error.next_step),
    ):
        if part is not None:
            console(err=True).print(f"[dim]{label:>7}[/]  {_escaped(part)}", highlight=False)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _invoked(name: str) -> bool:
    completing = os.environ.get("_TYPER_COMPLETE_ARGS", "") + os.environ.get("COMP_WORDS", "")
    return name in sys.argv[1:] or name in completing.split()


def _line(name: str, text: str) -> Any:
    def placeholder() -> None:
        """Stand in for a command that is not run."""

    made = typer.Typer()
    made.command(name, help=text)(placeholder)
    return typer.main.get_command(made)


def _loaded(name: str, home: str) -> Any:
    module, _, attribute = home.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    made = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    made.command(name)(found)
    return typer.main.get_command(made)
