"""``assay review``: a person checks the rows that teach most."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assay.cli.output import AsJson, ProjectPath, console, emit_json

RunId = Annotated[str | None, typer.Option(help="The labelling's run; by default the latest.")]


class DefaultToRows(TyperGroup):
    """A group that reviews rows where no other of its commands is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command first where there is none."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["rows", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=DefaultToRows,
    help="Check labels: in this terminal, or elsewhere by export and import.",
    no_args_is_help=True,  # never reached: without arguments rows are reviewed
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command()
def rows(
    data: Annotated[
        Path | None, typer.Argument(help="Rows to check; by default the latest labelling's.")
    ] = None,
    run: RunId = None,
    path: ProjectPath = Path(),
    count: Annotated[int, typer.Option("--rows", min=1, help="Rows in a new draw.")] = 60,
    classes: Annotated[
        str | None, typer.Option(help="Of rows nobody labelled yet, comma-separated.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="Who decides; by default your user name.")
    ] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Hide suggestions and votes.")] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Show rows again that were skipped.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check rows in this terminal, one key a row; quit and resume at any time."""
    from assay.label.review.desk import Desk
    from assay.label.review.opening import batches_of, embedder, labelling_ledger, labelling_of
    from assay.label.review.summary import summarise
    from assay.label.review.terminal import edited, require_terminal, review

    require_terminal()
    named = [each.strip() for each in classes.split(",")] if classes else []
    who = reviewer or _user()
    notes: list[str] = []
    with labelling_ledger(path) as (ledger, project):
        labelling = labelling_of(ledger, project, rows=data, run=run, classes=named)
        with console(err=True).status("choosing rows"):
            embed = embedder(labelling, ledger, project, notes)
            batches = batches_of(labelling, ledger, reviewer=who, n=count, embed=embed)
        desk = Desk(
            labelling.result, ledger, batches, reviewer=who, show_skipped=skipped, edit=edited
        )
        review(desk, blind=blind)
        summary = summarise(labelling.result, ledger)
    if as_json:
        emit_json(summary.as_dict() | {"warnings": notes})
        return
    left = len(desk.session.row_ids) - desk.session.checked - len(desk.session.skipped)
    after = f"{left:,} rows left: run it again to go on" if left else "all drawn rows are decided"
    _tell([*summary.lines(), *notes, after])


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="A file; a folder for huggingface.")],
    to: Annotated[
        str, typer.Option(help="label-studio, argilla, csv (or Parquet, JSONL), huggingface, gold.")
    ] = "csv",
    run: RunId = None,
    path: ProjectPath = Path(),
    count: Annotated[int, typer.Option("--rows", min=1, help="Rows in a new draw.")] = 60,
    every: Annotated[bool, typer.Option("--all", help="Every row, not only a draw.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write rows to check elsewhere; with --to gold, those that are checked."""
    from assay.label.review.formats import export_rows
    from assay.label.review.opening import batches_of, embedder, labelling_ledger, labelling_of
    from assay.label.review.summary import gold_of
    from assay.tables import write_table
    from assay.tables.rows import ROW_ID

    notes: list[str] = []
    with labelling_ledger(path) as (ledger, project):
        labelling = labelling_of(ledger, project, run=run)
        result = labelling.result
        if to == "gold":
            table = gold_of(result, ledger)
            write_table(table, out)
            chosen, written = table[ROW_ID].to_list(), [out]
        else:
            if every:
                chosen = result.rows.table[ROW_ID].to_list()
            else:
                embed = embedder(labelling, ledger, project, notes)
                drawn = batches_of(labelling, ledger, reviewer=None, n=count, embed=embed)
                chosen = [each for batch in drawn for each in batch.row_ids]
            written = export_rows(result, chosen, to, out)
    if as_json:
        told = [str(each) for each in written]
        emit_json({"rows": len(chosen), "files": told, "run": result.run, "warnings": notes})
        return
    _tell([f"{len(chosen):,} rows of {result.run} in {', '.join(map(str, written))}", *notes])


@app.command("import")
def bring_in(
    file: Annotated[Path, typer.Argument(help="What a person checked elsewhere.")],
    run: RunId = None,
    path: ProjectPath = Path(),
    reviewer: Annotated[
        str | None, typer.Option(help="Who decided, where the file does not say.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in what was checked elsewhere: all of a file, or nothing and the reasons."""
    from assay.label.review.formats import read_answers
    from assay.label.review.formats.taking import take
    from assay.label.review.opening import labelling_ledger, labelling_of
    from assay.label.review.record import read_batches, record_import
    from assay.label.review.summary import summarise

    with labelling_ledger(path) as (ledger, project):
        result = labelling_of(ledger, project, run=run).result
        answers = read_answers(file, result, reviewer or _user())
        drawn = [each for batch in read_batches(ledger, result.run) for each in batch.row_ids]
        taken = take(answers, result, drawn)
        made = None
        if taken.decisions:
            made = record_import(ledger, result.run, taken.decisions, source=file.name)
        summary = summarise(result, ledger)
    counts = {
        "taken": len(taken.decisions) if made else 0,
        "known": 0 if made else len(taken.decisions),
        "skipped": taken.skipped,
        "unanswered": taken.unanswered,
        "repeated": taken.repeated,
        "missing": len(taken.missing),
    }
    if as_json:
        emit_json(counts | {"summary": summary.as_dict()})
        return
    told = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    _tell([told or "no answers in the file", *summary.lines()])


def _user() -> str:
    """Return the name of who is at the keyboard."""
    from assay.errors import InputError

    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError) as error:  # a container without a user of that number
        raise InputError(
            "Your user name is not known.", next_step="say who decides with --reviewer NAME"
        ) from error


def _tell(lines: list[str]) -> None:
    for line in lines:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
