"""Findings as SARIF 2.1.0, the format in which CI shows what linters found."""

from __future__ import annotations

from typing import Any

from assay.diagnose.spec import Diagnosis, Finding, Severity
from assay.evidence.figures import effect_text

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "note"}


def as_sarif(diagnosis: Diagnosis, *, subject: str, version: str) -> dict[str, Any]:
    """Return the findings as one SARIF log.

    Parameters
    ----------
    subject
        The file that was diagnosed, relative to the repository: every finding points at it.
    version
        Assay's.
    """
    codes = {each.code: each for each in reversed(diagnosis.findings)}
    rules = [
        {"id": code, "shortDescription": {"text": codes[code].detector}} for code in sorted(codes)
    ]
    run = {
        "tool": {"driver": {"name": "assay", "version": version, "rules": rules}},
        "results": [_result(each, subject) for each in diagnosis.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, subject: str) -> dict[str, Any]:
    told = (
        f"{finding.title}: {finding.size:,} rows, effect {effect_text(finding.effect)}, "
        f"adjusted p = {finding.p_adjusted:.2g}. {finding.cause}."
    )
    return {
        "ruleId": finding.code,
        "level": LEVELS[finding.severity],
        "message": {"text": told},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": subject}}}],
        "properties": finding.as_dict(),
    }
