"""A diagnosis in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.diagnose.spec import Diagnosis
from assay.ledger import Ledger
from assay.project import Project
from assay.recipe.record import RunRecord
from assay.recipe.weak import WeakSlice, record_weak_slices
from assay.task import Task


class Record(RunRecord):
    """One diagnosis of a project in the ledger."""

    NAME = "diagnose"
    RESULT = "diagnosis"


def save(project: Project, record: Record, diagnosis: Diagnosis) -> Diagnosis:
    """Record the facts, the diagnosis, and for who makes rows the slices that fail.

    Returns
    -------
    Diagnosis
        Under its ids.
    """
    findings = tuple(
        replace(each, effect=record.evidence(each.effect)) for each in diagnosis.findings
    )
    explained = diagnosis.explained
    if explained is not None:
        hypotheses = tuple(
            each if each.effect is None else replace(each, effect=record.evidence(each.effect))
            for each in explained.hypotheses
        )
        explained = replace(explained, hypotheses=hypotheses)
    kept = replace(diagnosis, findings=findings, explained=explained).with_id(record.id)
    task, ledger = project.task, record.ledger
    record_weak_slices(ledger, record.id, project.search(), task, list(_weak_slices(kept, task)))
    record.end(kept.to_json(), project.recipe, name="diagnosis.json")
    return kept


def _weak_slices(diagnosis: Diagnosis, task: Task) -> Iterator[WeakSlice]:
    """Yield the slices that more rows may mend, the costliest first."""
    for finding in diagnosis.findings:
        remedy = next((each for each in finding.remedies if each.kind == "synthesise"), None)
        where = finding.predicate
        if remedy is None or where is None or not where.conditions:
            continue
        if {each.column for each in where.conditions} <= set(task.inputs):
            yield WeakSlice(where, remedy.value, f"{finding.code} of {diagnosis.id}")


def newest(ledger: Ledger, run: str | None = None) -> Diagnosis | None:
    """Return the diagnosis of a run, by default the newest; None where there is none."""
    found = Record.newest_result(ledger, run)
    return None if found is None else Diagnosis.from_json(found)
