"""Confirmed findings as regression tests: no later model may do worse on them.

The test file is a fixed template; what was found stands beside it as JSON, so that data is never
code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter

from assay.config import write_text
from assay.diagnose.frozen import Frozen, FrozenFinding, Subject
from assay.diagnose.spec import Diagnosis
from assay.errors import InputError

ELSEWHERE = "name another file after --freeze"
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

    What was frozen there before stays: what is marked as mended as it was, and what is not found
    any more; of the rest what was measured now counts.

    Parameters
    ----------
    path
        A Python file that pytest collects.
    subject
        With absolute paths.

    Raises
    ------
    InputError
        When ``path`` is no Python file, or holds what is not of :func:`freeze`, or findings of
        something else; or when nothing was confirmed.
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
    named = _relative(subject, path.parent)
    kept = {
        "subject": TypeAdapter(Subject).dump_python(named),
        "findings": TypeAdapter(list[FrozenFinding]).dump_python(
            _with_earlier(findings, _earlier(path, data, named))
        ),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(data, json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    write_text(path, TEMPLATE.format(data=data.name))
    return data


def _earlier(path: Path, data: Path, subject: Subject) -> Sequence[FrozenFinding]:
    """Return what was frozen there before."""
    if path.exists() and not path.read_text("utf-8").startswith(TEMPLATE.splitlines()[0]):
        raise InputError("The file holds other tests.", given=path.name, next_step=ELSEWHERE)
    if not data.exists():
        return ()
    earlier = Frozen.read(data)
    if (earlier.subject.project, earlier.subject.truth) != (subject.project, subject.truth):
        raise InputError(
            "The file holds findings of something else.", given=path.name, next_step=ELSEWHERE
        )
    return earlier.findings


def _with_earlier(
    findings: Sequence[FrozenFinding], earlier: Sequence[FrozenFinding]
) -> list[FrozenFinding]:
    mended = {each.key: each for each in earlier if each.mended}
    now = {each.key for each in findings}
    gone = [each for each in earlier if each.key not in now]
    return [mended.get(each.key, each) for each in findings] + gone


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
        imports=named(subject.imports),
    )
