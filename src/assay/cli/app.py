"""The application: commands found by name, errors told once, exit codes kept."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from assay.cli.commands import COMMANDS

if TYPE_CHECKING:
    from assay.errors import AssayError

EXIT_INTERRUPTED = 130


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are invoked.

    Help pages, suggestions and completion of names use one-line stand-ins.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {
            name: TyperCommand(name=name, help=each.help) for name, each in COMMANDS.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that ``args`` invoke, its module imported."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        return name, stand_in if name is None else load_command(name), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say what Ctrl-C means."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("stopped; run the same command again to continue", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None


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

    try:
        app()
    except AssayError as error:
        _tell(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)


def _tell(error: AssayError, *, as_json: bool) -> None:
    from rich.text import Text

    from assay.cli.output import console, emit_json

    if as_json:
        emit_json(error.as_dict())
        return
    out = console(err=True)
    out.print(Text.assemble(("  error  ", "bold red"), error.problem))
    for label, part in (
        ("given", error.given),
        ("allowed", error.allowed),
        ("next", error.next_step),
    ):
        if part is not None:
            out.print(Text.assemble((f"{label:>7}  ", "dim"), part))


def load_command(name: str) -> Any:
    """Import the command's module and return its Click command."""
    module, _, attribute = COMMANDS[name].home.partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    made = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    made.command(name)(found)
    return typer.main.get_command(made)
