"""``assay diagnose --diff``: what got better and what got worse between two files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.cli.diagnose_telling import tell
from assay.cli.options import options_given
from assay.cli.output import console, emit_json
from assay.errors import InputError

ALLOWED = (
    "--truth, --text, --kind, --group, --weight, --time, --min-effect, --fdr, --seed, --redact, "
    "--json"
)


def compare_files(
    files: tuple[Path, Path],
    *,
    redact: bool,
    as_json: bool,
    unused: Mapping[str, Any],
    **options: Any,
) -> None:
    """Compare two files of predictions, and tell it.

    Parameters
    ----------
    unused
        The options that a comparison has no use for, by name.

    Raises
    ------
    InputError
        When one of these is given.
    """
    from assay.diagnose.difference import difference
    from assay.diagnose.report import hidden
    from assay.tables import read_table

    if given := options_given(unused):
        raise InputError(
            "--diff compares two files; it has no use for some of the options.",
            given=", ".join(given),
            allowed=ALLOWED,
            next_step="leave the others out, or diagnose one file with --predictions",
        )
    old, new = (read_table(each) for each in files)
    found = difference(old, new, **options)
    if redact:
        worse, better = (hidden(each, None, {})[0] for each in (found.worse, found.better))
        found = replace(found, worse=worse, better=better)
    if as_json:
        emit_json(found.as_dict())
        return
    console().print(f"{found.gain}\n", highlight=False, markup=False)
    for heading, each in (("What got worse", found.worse), ("What got better", found.better)):
        told = f"{heading}, and more so than elsewhere; shares are of the older model's loss:"
        console().print(told, style="bold")
        tell(each)
