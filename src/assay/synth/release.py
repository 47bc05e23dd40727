"""Made rows as a file or a Hugging Face dataset folder, every row with where it comes from."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from assay.config import write_text
from assay.errors import InputError
from assay.project import Project
from assay.project.prepare import PURPOSE
from assay.synth.private import PRIVATE
from assay.synth.releasable import require_private
from assay.synth.result import SynthesisResult
from assay.synth.spec import PLANNED, RUN, SEED
from assay.tables import write_table

NOT_COVERED = (
    "Differential privacy covers the rows alone. The figures above were measured on real rows: "
    "where that matters, leave this card out."
)

CARD = ("---", "tags:", "- synthetic", "- assay")
"""How every data card begins."""

FILES = (".parquet", ".csv", ".tsv", ".jsonl")


def release(result: SynthesisResult, project: Project, path: Path) -> Path:
    """Write the rows by ``result.taken`` that passed the filters: those that were measured.

    A name that ends in ``.parquet``, ``.csv``, ``.tsv`` or ``.jsonl`` is a file with its data card
    beside it; another is a folder that ``datasets.load_dataset`` reads. Each row tells what made
    it, from which search row, its prompt's hash, the seed and the run.

    Returns
    -------
    Path
        The data card.

    Raises
    ------
    InputError
        When no made row passed the filters, or they exceed a limit under ``settings.synth`` in
        ``assay.toml``: copies, runs, close, risk, membership or k; or no attack could tell whether
        they do; or the name is not usable.
    """
    require_file_name(path)
    table = provenance(result, project.ledger().read_table(result.artefact))
    if table.is_empty():
        raise InputError("No made row passed the filters, so there is nothing to release.")
    require_private(table, result, project)
    rows, card = _places(path)
    if rows.suffix in (".csv", ".tsv") and "shown" in table.columns:
        table = table.with_columns(pl.col("shown").list.join(" "))
    rows.parent.mkdir(parents=True, exist_ok=True)
    write_table(table, rows)
    write_text(card, data_card(result, table))
    return card


def require_file_name(path: Path) -> None:
    """Refuse a name that rows cannot be released under, before any are made.

    Raises
    ------
    InputError
        When it ends like another kind of file, is a file where a folder is meant or the reverse, or
        what is there is no earlier release.
    """
    is_file = path.suffix in FILES
    foreign = not is_file and path.suffix[1:].isalpha() and not path.is_dir()
    taken = path.is_dir() if is_file else path.is_file()
    if foreign or taken or any(each.is_file() for each in path.parents):
        raise InputError(
            "The made rows cannot be written there.",
            given=path,
            allowed=f"a file that ends in {', '.join(FILES)}, or a folder",
        )
    rows, card = _places(path)
    held = list(path.iterdir()) if path.is_dir() else [at for at in (rows, card) if at.exists()]
    if held and not _released_before(rows, card):
        raise InputError(
            "The made rows cannot be written there: what is there is no earlier release.",
            given=held[0],
            allowed="a new name, an empty folder, or an earlier release",
            next_step="choose another name, or move what is there",
        )


def _places(path: Path) -> tuple[Path, Path]:
    """Return where the rows and their card go."""
    if path.suffix in FILES:
        return path, path.with_suffix(".md")
    return path / "data" / "train.parquet", path / "README.md"


def _released_before(rows: Path, card: Path) -> bool:
    """Whether the card is one, and the rows beside it, where there are any, tell their purpose."""
    if not card.is_file() or not card.read_text("utf-8", "replace").startswith("\n".join(CARD)):
        return False
    return not rows.exists() or PURPOSE.encode() in rows.read_bytes()


def provenance(result: SynthesisResult, table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the run and seed that they come from, and what they are for.

    The plan's cell stays here: its topics are words of the real texts.
    """
    return table.drop(PLANNED, strict=False).with_columns(
        pl.lit(result.run).alias(RUN),
        pl.lit(result.seed).alias(SEED),
        pl.lit("train").alias(PURPOSE),
    )


def data_card(result: SynthesisResult, table: pl.DataFrame) -> str:
    """Return the data card: Markdown under the YAML header that Hugging Face reads."""
    from assay.synth.report.story import headline, made, measures, tell

    task = "regression" if result.task.kind == "regression" else "classification"
    kind = f"{'text' if result.task.text else 'tabular'}-{task}"
    lines = [
        *CARD,
        "task_categories:",
        f"- {kind if kind != 'text-regression' else 'text-classification'}",
        f"size_categories:\n- {_size(table.height)}",
        "---",
        "# Synthetic rows",
        "",
        f"{table.height:,} made rows to predict a column, from {result.real_rows:,} real ones. "
        f"{headline(result)}",
        "",
        *(f"{each}\n" for each in tell(result)),
        "## How they were made",
        "",
        *(f"- {made(each)}" for each in result.batches if each.method == result.taken),
        "",
        f"Run `{result.run}`, seed {result.seed}. `made_by` names the method and the model, "
        "`made_from` the real row's id, `shown` every real row that a writer saw, `prompt_hash` "
        "tells its prompts apart.",
        "",
        "## Measured",
        "",
        *(f"- {each}" for each in measures(result)),
        "",
        "## Limits",
        "",
        "Made rows repeat the faults of the real ones. They are for training; judge by real rows.",
    ]
    if any(each.method == PRIVATE for each in result.batches):
        lines += ["", NOT_COVERED]
    return "\n".join(lines) + "\n"


def _size(rows: int) -> str:
    for bar, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if rows < bar:
            return name
    return "100K<n<1M"
