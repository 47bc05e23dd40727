"""``assay synth``: rows made where real ones are scarce, tried, then told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.options import options_given
from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar, say_page

if TYPE_CHECKING:
    from assay.project import Project


def synth(
    path: ProjectPath = Path(),
    for_class: Annotated[
        str | None, typer.Option(help="The class; by default what is lacking.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="Only a slice, as in 'age > 40'; of every class unless one is named."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            help="Rows by each method; the largest dose by default. Cases of each capability; 20."
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            help="auto; edit, recombine, write, paraphrase, counterfactual for texts; "
            "oversample, smote, forest, copula, private, write for tables."
        ),
    ] = "auto",
    model: Annotated[
        str | None, typer.Option(help="Who writes; the project's model for labels by default.")
    ] = None,
    dose: Annotated[
        list[float] | None,
        typer.Option(
            help="Made rows for each real one; may be repeated. 0.5, 1, 2, 4 and up to balance."
        ),
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="train; or test: cases that test a model and train none.")
    ] = "train",
    capability: Annotated[
        list[str] | None,
        typer.Option(help="With --purpose test: typos, numbers, names, …; may be repeated."),
    ] = None,
    constraints: Annotated[
        bool,
        typer.Option(
            "--constraints", help="Write what holds in every row to constraints.toml, and stop."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the rows: a table's file, or a dataset's folder.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Where the page goes; synthesis.html by default.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Whether the vault is looked at.")
    ] = True,
    canaries: Annotated[
        int,
        typer.Option(help="Made-up secrets planted for a model that writes: does it tell?"),
    ] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask about very many rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make rows, and keep them if they help.

    Several doses are tried on your labelled rows; one is kept only where the metric rises and no
    class suffers, and the vault confirms. Else you are told what would help.
    """
    from assay.errors import InputError
    from assay.project import Project
    from assay.synth import synthesize
    from assay.synth.release import release, require_file_name
    from assay.synth.report import render_terminal, write_html

    project = Project.open(path)
    if purpose not in ("train", "test"):
        raise InputError("purpose is not known.", given=purpose, allowed="train, test")
    if purpose == "test":
        _refuse(
            "--purpose test",
            {
                "for-class": for_class,
                "where": where,
                "method": method != "auto",
                "model": model,
                "dose": dose,
                "constraints": constraints,
                "html": html,
                "no-confirm": not confirm,
                "canaries": canaries,
            },
        )
        count = 20 if rows is None else rows
        _write_tests(project, count, capability or None, out, as_json=as_json)
        return
    _refuse("--purpose train", {"capability": capability})
    if constraints:
        _tell_constraints(project, as_json=as_json)
        return
    if out is not None:
        require_file_name(out)
    asked: dict[str, Any] = {
        "for_class": for_class,
        "where": where,
        "rows": rows,
        "method": method,
        "model": model,
    }
    many = _meant(project, asked, yes=yes, as_json=as_json)
    with progress_bar() as progress:
        task = progress.add_task("making rows", total=None)

        def watch(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        result = synthesize(
            project,
            **asked,
            doses=dose or None,
            confirm=confirm,
            many=many,
            canaries=canaries,
            release=out is not None,
            on_progress=watch,
        )
    page = html or project.path / "synthesis.html"
    write_html(result, page)
    card = None if out is None else release(result, project, out)
    if as_json:
        emit_json(result.as_dict())
        return
    console().print(render_terminal(result))
    if card is not None:
        console().print(f"rows: {out}, their card: {card}", markup=False, soft_wrap=True)
    say_page(page)


def _refuse(purpose: str, options: dict[str, object]) -> None:
    """Refuse options that would be passed over."""
    from assay.errors import InputError

    if given := options_given(options):
        raise InputError(
            f"{given[0]} says nothing with {purpose}.",
            given=", ".join(given),
            next_step="leave it out",
        )


def _meant(project: Project, asked: dict[str, Any], *, yes: bool, as_json: bool) -> bool:
    """Return whether very many rows are meant; say what they take, and ask, unless told."""
    from assay.errors import InputError
    from assay.synth.forecast import forecast
    from assay.synth.scarcity import MANY

    if (asked["rows"] or 0) <= MANY or yes:
        return yes
    told = str(forecast(project, **asked))
    console(err=True).print(told, markup=False)
    if as_json or not typer.confirm("Make them?", err=True):
        raise InputError(
            f"{asked['rows']:,} rows were not made.", next_step="ask for fewer, or say --yes"
        )
    return True


def _tell_constraints(project: Project, *, as_json: bool) -> None:
    """Write the constraints for editing; those of an earlier time are only read."""
    from assay.synth.constraints import FILE, stated_constraints, write_constraints
    from assay.synth.curation.curated import mined

    path = project.path / FILE
    found = stated_constraints(project)
    if found is None:
        found = mined(project.search(), project.task)
        write_constraints(found, path)
    if as_json:
        emit_json(
            {"file": str(path), "constraints": [each.model_dump(mode="json") for each in found]}
        )
        return
    for each in found:
        console().print(str(each), markup=False, soft_wrap=True)
    held = f"{len(found)} constraints in {path}: edit it; remove it to have them mined anew."
    console().print(held, markup=False, soft_wrap=True)


def _write_tests(
    project: Project,
    count: int,
    capabilities: Sequence[str] | None,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write the test cases, and tell of each capability how many there are, be it none."""
    from assay.seeds import derive_seed
    from assay.synth.capabilities import CAPABILITY, CHANGES, capability_tests
    from assay.tables import write_table

    seed = derive_seed(project.settings.seed, "capability tests")
    table = capability_tests(
        project.search(), project.task, count=count, seed=seed, capabilities=capabilities
    )
    path = out or project.path / "tests.csv"
    write_table(table, path)
    found = dict.fromkeys(capabilities or CHANGES, 0)
    found |= dict(table[CAPABILITY].value_counts().rows())
    if as_json:
        emit_json({"out": str(path), "rows": table.height, "capabilities": found})
        return
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items())
    console().print(f"{table.height} test cases: {told}. {path}", markup=False, soft_wrap=True)
