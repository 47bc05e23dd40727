"""Confirmed findings as regression tests: no later model may do worse on them.

The test file is a fixed template; what was found stands beside it as JSON, so that data is never
code.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from assay.config import write_text
from assay.diagnose.frozen import FrozenFinding, Subject
from assay.diagnose.spec import Diagnosis
from assay.errors import InputError

TEMPLATE = '''\
"""Findings of `assay diagnose`, frozen: no later model may do worse on them.

The findings stand in {data}. Set "mended" to true there once a fault is mended:
from then on it must not come back. By default what was diagnosed is read again; ASSAY_PREDICTIONS
names another file of predictions, ASSAY_MODEL (package.module:NAME) with ASSAY_ROWS a model.
"""

from pathlib import Path

import pytest

from assay.diagnose.frozen import Frozen

FROZEN = Frozen.read(Path(__file__).with_name("{data}"))


@pytest.mark.parametrize("finding", FROZEN.findings, ids=lambda finding: finding.name)
def test_finding(finding):
    effect = FROZEN.measured(finding)
    assert effect <= finding.limit, finding.told(effect)
'''


def freeze(diagnosis: Diagnosis, path: Path, subject: Subject) -> Path:
    """Write a test for each finding to ``path``, and the findings beside it; return the latter.

    Parameters
    ----------
    path
        A Python file that pytest collects.
    subject
        With absolute paths.

    Raises
    ------
    InputError
        When ``path`` is no Python file, or nothing was confirmed.
    """
    if path.suffix != ".py":
        raise InputError(
            "Frozen findings are tests.", given=path.name, allowed="a name like test_findings.py"
        )
    if not diagnosis.findings:
        raise InputError("Nothing was confirmed, so there is nothing to freeze.")
    findings = [
        FrozenFinding(
            each.code,
            each.title,
            each.detector,
            each.effect.name,
            known=each.effect.interval.high,
            gone=each.effect.interval.low,
            predicate=None if each.predicate is None else each.predicate.as_dict(),
            about=each.about,
            rule=each.rule,
        )
        for each in diagnosis.findings
    ]
    data = path.with_name(f"{path.stem}.json")
    kept = {
        "subject": TypeAdapter(Subject).dump_python(_relative(subject, path.parent)),
        "findings": TypeAdapter(list[FrozenFinding]).dump_python(findings),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(data, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    write_text(path, TEMPLATE.format(data=data.name))
    return data


def _relative(subject: Subject, folder: Path) -> Subject:
    def named(path: str | None) -> str | None:
        if path is None:
            return None
        return Path(os.path.relpath(path, folder.absolute())).as_posix()

    return replace(
        subject,
        project=named(subject.project),
        predictions=named(subject.predictions),
        rows=named(subject.rows),
        training=named(subject.training),
    )
