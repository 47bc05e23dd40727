"""The process that builds recipes for a search, and may be killed at any moment.

``python -m assay.experiment.search.worker FOLDER`` reads a line, a JSON list of modules, imports
them, and waits for an empty line that says that the context is there. Then it reads one job a line
and answers with one line of JSON each; predictions go to files in the folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import numpy as np

from assay.engine import die_with
from assay.errors import AssayError, shorten
from assay.experiment.search.ahead import import_ahead
from assay.experiment.search.jobs import Bench, Context, Job

ALWAYS = ("sklearn.linear_model",)
"""What every search needs; it may be known later what else this one does."""


def main() -> None:
    """Answer jobs until the input ends."""
    answers = _own_answers()
    die_with(os.getppid())
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    import_ahead(ALWAYS)
    import_ahead(json.loads(sys.stdin.readline()))
    sys.stdin.readline()  # the context is written
    bench = Bench(Context.read(folder))
    _answer(answers, {"ready": True})
    for line in sys.stdin:
        _answer(answers, _done(bench, Job.from_line(line), folder))


def _own_answers() -> TextIO:
    """Keep the answers' channel for ourselves; whatever an estimator prints goes elsewhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _done(bench: Bench, job: Job, folder: Path) -> dict[str, object]:
    began = time.perf_counter()
    try:
        np.save(folder / job.name, bench.predictions(job))
    except AssayError as error:
        return {"ok": False, "reason": shorten(error.problem)}
    except Exception as error:  # an estimator may raise anything
        return {"ok": False, "reason": shorten(f"{type(error).__name__}: {error}")}
    return {"ok": True, "seconds": round(time.perf_counter() - began, 4)}


def _answer(answers: TextIO, body: Mapping[str, object]) -> None:
    answers.write(json.dumps(body) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
