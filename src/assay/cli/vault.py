"""``assay vault``: what is locked, which looks are left, and new rows in place of old."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json

if TYPE_CHECKING:
    from assay.evidence.status import VaultStatus
    from assay.project.renewal import Retired

app = typer.Typer(help="The locked rows: status, retire, renew.", no_args_is_help=True)

ToSearch = Annotated[
    bool, typer.Option("--to-search", help="Train on the retired rows from now on.")
]


@app.command()
def status(path: ProjectPath = Path(), as_json: AsJson = False) -> None:
    """Show the looks that are left, the level of each, and whether the rows are unaltered."""
    from assay.project import Project, renewal

    found = renewal.status(Project.open(path))
    if as_json:
        emit_json(found.as_dict())
    else:
        _print(*_told(found))
    if found.problem is not None:
        if not as_json:
            raise found.problem
        raise typer.Exit(found.problem.exit_code)


@app.command()
def retire(
    reason: Annotated[str, typer.Option(help="Why; the ledger keeps it.")],
    to_search: ToSearch = False,
    lost: Annotated[
        bool, typer.Option("--lost", help="Give up rows that were altered or are gone.")
    ] = False,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """End the vault. Nothing can be confirmed until new rows are locked."""
    from assay.project import Project, renewal

    retired = renewal.retire(Project.open(path), reason, to_search=to_search, lost=lost)
    if as_json:
        emit_json(_retired(retired))
    else:
        _print(_ended(retired), "Next: lock new labelled rows with assay vault renew DATA.")


@app.command()
def renew(
    data: Annotated[
        Path, typer.Argument(help="Labelled rows; or row_id and label of rows of the pool.")
    ],
    reason: Annotated[
        str | None, typer.Option(help="Why the vault in use is retired; the ledger keeps it.")
    ] = None,
    looks: Annotated[int, typer.Option(help="How often the new vault may be looked at.")] = 1,
    to_search: ToSearch = False,
    encoding: Annotated[str, typer.Option(help="Of a text file.")] = "utf-8",
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Lock new labelled rows; the vault in use is retired first."""
    from assay.project import Project, renewal
    from assay.tables import read_table

    table = read_table(data, encoding=encoding)
    made = renewal.renew(Project.open(path), table, reason=reason, looks=looks, to_search=to_search)
    if as_json:
        before = None if made.retired is None else _retired(made.retired)
        emit_json(made.status.as_dict() | {"retired": before, "left_out": dict(made.left_out)})
        return
    lines = [] if made.retired is None else [_ended(made.retired)]
    lines += [f"{count:,} rows were left out: {why}." for why, count in made.left_out.items()]
    _print(*lines, *_told(made.status))


def _told(found: VaultStatus) -> list[str]:
    looks = f"{found.looks_left} of {found.looks} looks left, each at {found.alpha_per_look:g}"
    lines = [
        f"Vault {found.vault}: {found.rows:,} rows, locked {found.locked:%Y-%m-%d %H:%M} UTC.",
        f"{looks}; {found.alpha_left:g} of {found.alpha:g} is unspent.",
    ]
    lines += [
        f"  look {n}: {look.time:%Y-%m-%d %H:%M} UTC, {look.question} ({look.id})"
        for n, look in enumerate(found.taken, start=1)
    ]
    if found.problem is None:
        lines.append("The rows are as they were locked.")
    if found.looks_left == 0:
        lines.append(
            'Next: label new rows, then assay vault renew DATA --reason "the looks are spent".'
        )
    return lines


def _ended(retired: Retired) -> str:
    searched = f" {retired.to_search:,} of them are search rows now." if retired.to_search else ""
    return f"Vault {retired.vault} of {retired.rows:,} rows is retired.{searched}"


def _retired(retired: Retired) -> dict[str, Any]:
    return {
        "vault": retired.vault,
        "rows": retired.rows,
        "to_search": retired.to_search,
    }


def _print(*lines: str) -> None:
    for line in lines:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
