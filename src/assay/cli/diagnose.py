"""``assay diagnose``: where a model fails, as far as the rows can show it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.diagnose_telling import shown_share, tell
from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar, say_page
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.diagnose.spec import Diagnosis


def diagnose(
    predictions: Annotated[
        Path | None,
        typer.Option(help="Rows with their true values, and 'prediction' or 'probability:CLASS'."),
    ] = None,
    truth: Annotated[str | None, typer.Option(help="The column of the true values.")] = None,
    rows: Annotated[
        Path | None, typer.Option(help="Rows with their true values, for --model.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model as package.module:NAME; importing it runs that module."),
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="The rows the model was taught on, to see drift.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="The text column.")] = None,
    group: Annotated[str | None, typer.Option(help="The column of groups.")] = None,
    weight: Annotated[str | None, typer.Option(help="The column of weights.")] = None,
    protected: Annotated[
        list[str] | None,
        typer.Option(help="A column whose groups must be treated alike; once for each."),
    ] = None,
    min_effect: Annotated[
        float | None, typer.Option(help="Smallest excess of loss worth telling.")
    ] = None,
    fdr: Annotated[float, typer.Option(help="Share of false findings that is allowed.")] = 0.05,
    plant: Annotated[
        bool, typer.Option("--plant", help="Plant known faults first; say which are found.")
    ] = False,
    diff: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Two prediction files for the same rows: what got worse, and better."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Where the page goes; a project's is diagnosis.html.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option(help="Write the findings as SARIF too, for CI.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write the findings as Markdown too.")
    ] = None,
    freeze: Annotated[
        Path | None,
        typer.Option(help="Write a pytest file (.py) that holds later models to the findings."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the halves; a project has its own.")] = 0,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Find where the model fails on one half of the rows; confirm it on the other."""
    from assay.diagnose import diagnose as find
    from assay.tables import read_table

    if diff is not None:
        _compare(diff, as_json=as_json, truth=truth, text=text, group=group, weight=weight,
                 fdr=fdr, seed=seed)  # fmt: skip
        return
    subject, options = _subject(predictions, rows, model, path)
    given = {"truth": truth, "text": text, "group": group, "weight": weight}
    of_files = given | {"training": training}
    if predictions is None and rows is None and any(of_files.values()):
        raise InputError(
            "A project knows its columns and its training rows.",
            given=", ".join(f"--{name}" for name, value in of_files.items() if value),
            next_step="leave these out, or name --predictions FILE",
        )
    options |= given | {"seed": seed}
    if training is not None:
        options["training"] = read_table(training)
    if protected:
        options["protected"] = protected
    if plant:
        _plant(subject, options, as_json=as_json)
        return
    with progress_bar() as bar:
        task = bar.add_task("preparing the predictions", total=None)

        def step(what: str, done: int, total: int) -> None:
            bar.update(task, description=f"looking for {what}", completed=done, total=total)

        found = find(subject, **options, fdr=fdr, min_effect=min_effect, step=step)
    files = {"html": html, "sarif": sarif, "markdown": markdown}
    page = _written(found, subject, predictions or rows, files)
    if freeze is not None:
        paths = {"predictions": predictions, "rows": rows, "training": training,
                 "project": None if predictions or rows else subject.path}  # fmt: skip
        names = given | {"model": model, "seed": seed, "protected": tuple(protected or ())}
        _freeze(found, freeze, paths, names)
    if as_json:
        emit_json(found.as_dict())
        return
    tell(found)
    if page is not None:
        say_page(page)


def _written(
    found: Diagnosis, subject: Any, file: Path | None, wanted: dict[str, Path | None]
) -> Path | None:
    """Write the page and the other files where they are wanted; return the page's path."""
    from assay import __version__
    from assay.config import write_text
    from assay.diagnose.report import as_sarif, render_markdown, write_html

    page, sarif, markdown = wanted["html"], wanted["sarif"], wanted["markdown"]
    if file is None:
        page = page or subject.path / "diagnosis.html"
        name, table = subject.path.name, subject.search()
    else:
        name, table = file.name, None
    if sarif is not None:
        told = as_sarif(found, subject=str(file or "recipe.toml"), version=__version__)
        write_text(sarif, json.dumps(told, ensure_ascii=False, indent=2) + "\n")
    if markdown is not None:
        write_text(markdown, render_markdown(found, name=name))
    if page is not None:
        write_html(found, page, name=name, rows=table)
    return page


def _freeze(
    found: Diagnosis, path: Path, paths: dict[str, Path | None], names: dict[str, Any]
) -> None:
    from assay.diagnose.frozen import Subject, freeze

    absolute = {name: str(each.absolute()) for name, each in paths.items() if each is not None}
    freeze(found, path, Subject(**(names | absolute)))


def _compare(files: tuple[Path, Path], *, as_json: bool, **options: Any) -> None:
    from assay.diagnose.difference import difference
    from assay.tables import read_table

    old, new = (read_table(each) for each in files)
    found = difference(old, new, **options)
    if as_json:
        emit_json(found.as_dict())
        return
    console().print(f"{found.gain}\n", highlight=False, markup=False)
    for heading, each in (("What got worse", found.worse), ("What got better", found.better)):
        console().print(f"{heading}, where it changed more than elsewhere:", style="bold")
        tell(each)


def _plant(subject: Any, options: dict[str, Any], *, as_json: bool) -> None:
    from assay.diagnose import plant

    with progress_bar() as bar:
        task = bar.add_task("preparing the predictions", total=None)

        def step(what: str, done: int, total: int) -> None:
            bar.update(task, description=f"planting: {what}", completed=done, total=total)

        checked = plant(subject, **options, step=step)
    if as_json:
        emit_json(checked.as_dict())
        return
    out = console()
    out.print(f"faults planted in {checked.n:,} rows", highlight=False)
    for each in checked.faults:
        line = f"  {each.fault}, strength {each.strength:g}: found in"
        out.print(f"{line} {shown_share(each.found)}", highlight=False, markup=False)
    alarms = shown_share(checked.false_alarms)
    out.print(f"false alarms where nothing was planted: in {alarms}", highlight=False, markup=False)


def _subject(
    predictions: Path | None, rows: Path | None, model: str | None, path: Path
) -> tuple[Any, dict[str, Any]]:
    from assay.tables import read_table

    if (rows is None) != (model is None) or (predictions is not None and model is not None):
        raise InputError(
            "What is to be diagnosed is not clear.",
            allowed="--predictions FILE, --rows FILE with --model, or neither for the project",
        )
    if predictions is not None:
        return read_table(predictions), {}
    if rows is not None and model is not None:
        from assay.diagnose.models import imported_model

        sys.path.insert(0, str(Path.cwd()))
        return read_table(rows), {"model": imported_model(model)}
    from assay.project import Project

    return Project.open(path), {}
