"""``assay diagnose``: where a model fails, as far as the rows can show it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.diagnose_command import FreezeCommand
from assay.cli.diagnose_difference import compare_files
from assay.cli.diagnose_files import Files, write_files
from assay.cli.diagnose_telling import shown_share, tell, tell_fixes
from assay.cli.options import DryRun, options_given
from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar, say_page
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.diagnose.spec import Diagnosis
    from assay.diagnose.strategies.tried import Fixes
    from assay.llm.forecast import Estimate

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command("diagnose", cls=FreezeCommand)
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
    kind: Annotated[
        str | None,
        typer.Option(help="binary, multiclass or regression; found by the rows where left out."),
    ] = None,
    group: Annotated[str | None, typer.Option(help="The column of groups.")] = None,
    weight: Annotated[str | None, typer.Option(help="The column of weights.")] = None,
    time: Annotated[str | None, typer.Option(help="The column of when each row is from.")] = None,
    protected: Annotated[
        list[str] | None,
        typer.Option(help="A column whose groups must be treated alike; once for each."),
    ] = None,
    annotator: Annotated[
        str | None, typer.Option(help="The column that names who labelled each row.")
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
        typer.Option(
            help="Write a pytest file that holds later models to the findings; without a name "
            "tests/test_assay_findings.py."
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Hide identifiers in the files that are written.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(help="Who says why, provider:model; unseen rows judge what it says."),
    ] = None,
    embed: Annotated[
        str | None,
        typer.Option(help="Whose embeddings tell which texts mean alike, provider:model."),
    ] = None,
    dry_run: DryRun = False,
    try_: Annotated[
        bool, typer.Option("--try", help="Try what could help, through the loop (a project).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the halves; a project has its own.")] = 0,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Find where the model fails on one half of the rows; confirm it on the other."""
    from assay.cli.forecast import forecast_table, show_forecast
    from assay.diagnose import diagnose as find
    from assay.diagnose.report import freezable
    from assay.llm.forecast import Forecast
    from assay.tables import read_table

    if diff is not None:
        unused = {
            "predictions": predictions, "rows": rows, "model": model, "training": training,
            "protected": protected, "annotator": annotator, "plant": plant, "html": html,
            "sarif": sarif, "markdown": markdown, "freeze": freeze, "explain": explain,
            "embed": embed, "dry-run": dry_run, "try": try_,
        }  # fmt: skip
        compare_files(
            diff, redact=redact, as_json=as_json, unused=unused, truth=truth, text=text, kind=kind,
            group=group, weight=weight, time=time, min_effect=min_effect, fdr=fdr, seed=seed,
        )  # fmt: skip
        return
    subject, options = _subject(predictions, rows, model, path)
    given = {"truth": truth, "text": text, "kind": kind, "group": group, "weight": weight,
             "time": time}  # fmt: skip
    of_files = options_given(given | {"training": training})
    if predictions is None and rows is None and of_files:
        raise InputError(
            "A project knows its kind of task, its columns and its training rows.",
            given=", ".join(of_files),
            next_step="leave these out, or name --predictions FILE",
        )
    options |= given | {"seed": seed, "annotator": annotator}
    if training is not None:
        options["training"] = read_table(training)
    if protected:
        options["protected"] = protected
    if try_ and (predictions or rows):
        raise InputError("--try works on a project's recipe.", given=str(predictions or rows))
    if plant:
        _plant(subject, options, as_json=as_json)
        return
    if dry_run and _awaited(subject, as_json=as_json):
        return
    forecasts: list[Estimate] = []
    with progress_bar() as bar:
        task = bar.add_task("preparing the predictions", total=None)

        def step(what: str, done: int, total: int) -> None:
            bar.update(task, description=f"looking for {what}", completed=done, total=total)

        def consent(estimate: Estimate) -> bool:
            forecasts.append(estimate)
            if not dry_run:
                bar.console.print(forecast_table(Forecast((estimate,))))
            return not dry_run

        found = find(
            subject, **options, fdr=fdr, min_effect=min_effect, explain=explain, consent=consent,
            embed=embed, step=step,
        )  # fmt: skip
    if dry_run:
        show_forecast(Forecast(tuple(forecasts)), as_json=as_json)
        return
    if try_ and not found.stopped:
        found = replace(found, tried=_tried(subject, found))
    file = predictions or rows
    page, shared = write_files(found, subject, file, Files(html, sarif, markdown), redact=redact)
    if freeze is not None:
        paths = {"predictions": predictions, "rows": rows, "training": training,
                 "project": None if file else subject.path,
                 "imports": Path.cwd() if model else None}  # fmt: skip
        names = given | {"model": model, "seed": seed, "protected": tuple(protected or ()),
                         "annotator": annotator, "embed": embed}  # fmt: skip
        kept = freezable(found, shared) if redact else found
        if kept.findings or not found.findings:
            _freeze(kept, freeze, paths, names)
        if left := len(found.findings) - len(kept.findings):
            say = "is" if left == 1 else "are"
            told = f"{left} of {len(found.findings)} findings {say} not frozen: "
            console(err=True).print(f"{told}what --redact hides picks or names their rows.")
    if as_json:
        emit_json(shared.as_dict())
        return
    tell(shared)
    if shared.tried is not None:
        tell_fixes(shared.tried)
    if page is not None:
        say_page(page)


def _awaited(subject: Any, *, as_json: bool) -> bool:
    """Show what a project's recipe must ask elsewhere first; return whether it must."""
    from assay.cli.forecast import show_forecast
    from assay.improve.rehearse import rehearse_judging
    from assay.project import Project

    forecast = rehearse_judging(subject) if isinstance(subject, Project) else None
    if forecast is None:
        return False
    show_forecast(forecast, as_json=as_json)
    console(err=True).print("What comes after is known once the recipe is judged.")
    return True


def _tried(project: Any, found: Diagnosis) -> Fixes:
    from assay.cli.watch import watching
    from assay.improve.fixes import try_fixes

    with watching() as watch:
        return try_fixes(project, found, on_event=watch)


def _freeze(
    found: Diagnosis, path: Path, paths: dict[str, Path | None], names: dict[str, Any]
) -> None:
    from assay.diagnose.freezing import freeze
    from assay.diagnose.frozen import Subject

    absolute = {name: str(each.absolute()) for name, each in paths.items() if each is not None}
    freeze(found, path, Subject(**(names | absolute)))


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
    if checked.false_alarms is None:
        out.print("Stopped early: what comes later was not planted.", style="yellow")
        return
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
