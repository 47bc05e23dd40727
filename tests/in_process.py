"""The command line without a process of its own, where a process is not the point."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from assay.cli.app import main


def assay(
    *words: str | Path, cwd: Path, without: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run one command in a folder, as ``python -m assay`` would.

    Parameters
    ----------
    without
        Environment variables that are taken away.
    """
    argv = ["assay", *map(str, words)]
    kept = {name: value for name, value in os.environ.items() if name not in without}
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        chdir(cwd),
        patch.object(sys, "argv", argv),
        patch.dict(os.environ, {**kept, **environment}, clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())
