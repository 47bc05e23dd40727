"""``assay gate``: may the second model replace the first? For continuous integration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.output import AsJson, ProjectPath, emit_json, progress_bar

if TYPE_CHECKING:
    from assay.evidence.gate import Gated


def gate(
    before: Annotated[
        Path | None, typer.Argument(help="Predictions of the model in use.", show_default=False)
    ] = None,
    after: Annotated[
        Path | None, typer.Argument(help="Predictions of the new model.", show_default=False)
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="A file that holds the true values.")] = None,
    target: Annotated[
        str | None, typer.Option(help="The column of true values; truth by default.")
    ] = None,
    row_id: Annotated[
        str | None, typer.Option(help="The column that joins the files; row_id by default.")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Judge this recipe against the project's own instead.")
    ] = None,
    path: ProjectPath = Path(),
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy, macro_f1, log_loss, auc, mae, … or a scikit-learn name; "
            "accuracy by default, with --recipe the task's."
        ),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Class names, comma-separated; the second is positive.")
    ] = None,
    min_effect: Annotated[float, typer.Option(help="Smallest gain worth having.")] = 0.0,
    guard: Annotated[
        list[str] | None,
        typer.Option(help="What may not get worse: recall:0.02, log_loss:0.01, latency:10%."),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Rows that share this column's value are not independent.")
    ] = None,
    weight: Annotated[str | None, typer.Option(help="The column of row weights.")] = None,
    alpha: Annotated[float, typer.Option(help="One-sided significance level.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Of resampling and splits.")] = 0,
    markdown: Annotated[Path | None, typer.Option(help="Write a Markdown report here.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide whether a model may replace another. Exit 0 kept, 1 dropped, 3 undecided."""
    from assay.errors import InputError
    from assay.evidence.gate import Guard, gate, read_predictions

    guards = [Guard.parse(each) for each in guard or ()]
    named = None if classes is None else [each.strip() for each in classes.split(",")]
    judged: dict[str, Any] = {
        "guards": guards,
        "min_effect": min_effect,
        "alpha": alpha,
        "seed": seed,
    }
    if recipe is not None:
        _refuse_for_recipes(
            before=before,
            truth=truth,
            target=target,
            row_id=row_id,
            classes=classes,
            group=group,
            weight=weight,
        )
        result = _recipe(path, recipe, metric=metric, **judged)
    else:
        if before is None or after is None:
            raise InputError(
                "Two prediction files are needed.",
                next_step="assay gate BEFORE AFTER, or assay gate --recipe FILE in a project",
            )
        rows = read_predictions(
            before,
            after,
            truth=truth,
            target=target or "truth",
            row_id=row_id or "row_id",
            group=group,
            weight=weight,
        )
        result = gate(rows, metric=metric or "accuracy", classes=named, **judged)
    _write(result, markdown, junit)
    _show(result, as_json)
    raise typer.Exit(result.exit_code)


def _recipe(path: Path, recipe: Path, **options: Any) -> Gated:
    """Compare a recipe with the project's own by cross-validation on the search rows."""
    from assay.project import Project
    from assay.project.gate import gate_recipe
    from assay.recipe import read_recipe

    project, candidate = Project.open(path), read_recipe(recipe)
    with progress_bar() as bar:
        task = bar.add_task("fits", total=None)
        return gate_recipe(
            project,
            candidate,
            step=lambda done, total: bar.update(task, completed=done, total=total),
            **options,
        )


def _refuse_for_recipes(**given: object) -> None:
    """Raise an InputError for what only prediction files have."""
    from assay.errors import InputError

    named = [name.replace("_", "-") for name, value in given.items() if value is not None]
    if named:
        raise InputError(
            "Give two prediction files or --recipe, not both.",
            given=", ".join(named),
            next_step="a recipe is judged on the project's own rows, groups and classes",
        )


def _write(result: Gated, markdown: Path | None, junit: Path | None) -> None:
    from assay.config import write_text
    from assay.evidence.render import to_junit, to_markdown

    if markdown is not None:
        write_text(markdown, to_markdown(result))
    if junit is not None:
        write_text(junit, to_junit(result))


def _show(result: Gated, as_json: bool) -> None:
    if as_json:
        emit_json(result.as_dict())
        return
    typer.echo(f"{result.verdict.decision}: {result.verdict.reason}")
    for fact in result.verdict.evidence[1:]:
        typer.echo(f"  guard: {fact}")
    if result.more_rows is not None:
        typer.echo(f"About {result.more_rows} more labelled rows would decide it.")
