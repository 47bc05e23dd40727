"""``assay guidelines``: clearer class descriptions, kept only where labels become more accurate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.output import AsJson, ProjectPath, console, emit_json, progress_bar

if TYPE_CHECKING:
    from assay.label import GuidelineResult
    from assay.project import Project


def guidelines(
    gold: Annotated[
        Path | None, typer.Option(help="Checked rows; by default the project's search rows.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model that drafts and labels.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write what was kept to assay.toml.")
    ] = False,
    path: ProjectPath = Path(),
    as_json: AsJson = False,
) -> None:
    """Draft clearer class descriptions and rules from what annotators got wrong.

    A draft is kept only if it makes labels more accurate on checked rows that it was not made
    from.
    """
    from assay.label import LabelSettings, draft_guidelines
    from assay.project import Project
    from assay.tables import read_table

    project = Project.open(path)
    checked = project.search() if gold is None else read_table(gold)
    rows = project.pool()
    rows = (project.search() if rows.is_empty() else rows).select("row_id", *project.task.inputs)
    named = project.settings.models
    settings = LabelSettings(
        models=(model or named.label,), embed=named.embed, seed=project.settings.seed
    )
    with progress_bar() as bar:
        task = bar.add_task("drafting and judging", total=None)
        found = draft_guidelines(
            rows, project.task, checked, project=project, settings=settings,
            progress=lambda seen: bar.update(
                task, description=seen.what, completed=seen.done, total=seen.total
            ),
        )  # fmt: skip
    written = write and bool(found.kept)
    if written:
        _write(project, found)
    if as_json:
        emit_json(found.as_dict() | {"written": written})
    else:
        _tell(found, written=written)


def _write(project: Project, found: GuidelineResult) -> None:
    from assay.project.describing import write_descriptions

    old = {each.name: each.description for each in project.task.classes}
    new = {
        each.name: each.description
        for each in found.task.classes
        if each.description != old[each.name]
    }
    write_descriptions(project.path / "assay.toml", new, found.task.guidelines)


def _tell(found: GuidelineResult, *, written: bool) -> None:
    from rich.text import Text

    from assay.label.shown import visible

    out = console()
    family, each_alpha = found.alpha
    out.print(
        f"{len(found.drafts)} drafts from {found.drafted_on} checked rows, judged on "
        f"{found.judged_on} others, each at {each_alpha:.3g} ({family:g} for all).",
        highlight=False,
    )
    for each in found.drafts:
        draft, verdict = each.draft, each.verdict
        style = {"kept": "green", "dropped": "dim"}.get(verdict.decision, "yellow")
        out.print(Text(f"{verdict.decision:>9}  {visible(draft.name)} ({draft.origin})", style))
        for name, words in draft.descriptions.items():
            out.print(Text(f"           {visible(name)}: {visible(words)}"))
        if draft.rule:
            out.print(Text(f"           {visible(draft.rule)}"))
        out.print(Text(f"           {verdict.reason}", "dim"))
    for note in found.notes:
        out.print(Text(f"     note  {visible(note)}"))
    if found.kept:
        out.print(
            "Written to assay.toml." if written else "Add --write to keep them in assay.toml."
        )
