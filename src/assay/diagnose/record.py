"""A diagnosis in the ledger."""

from __future__ import annotations

from dataclasses import replace

from assay.diagnose.spec import Diagnosis
from assay.ledger import Ledger
from assay.project import Project
from assay.recipe.record import RunRecord


class Record(RunRecord):
    """One diagnosis of a project in the ledger."""

    NAME = "diagnose"
    RESULT = "diagnosis"


def save(project: Project, record: Record, diagnosis: Diagnosis) -> Diagnosis:
    """Record the facts and the diagnosis; return it under its ids."""
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
    record.end(kept.to_json(), project.recipe, name="diagnosis.json")
    return kept


def newest(ledger: Ledger, run: str | None = None) -> Diagnosis | None:
    """Return the diagnosis of a run, by default the newest; None where there is none."""
    found = Record.newest_result(ledger, run)
    return None if found is None else Diagnosis.from_json(found)
