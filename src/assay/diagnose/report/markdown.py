"""A diagnosis as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re

from assay.diagnose.spec import Diagnosis, Finding

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def render_markdown(diagnosis: Diagnosis, *, name: str) -> str:
    """Return the document; names and values in it are escaped, as data is never markup."""
    lines = [
        f"# Diagnosis of {_plain(name)}",
        "",
        f"Mean {diagnosis.loss} {diagnosis.mean_loss:.4f} on {diagnosis.n:,} rows; searched on "
        f"{diagnosis.discovery:,}, confirmed on the other {diagnosis.confirmation:,}.",
        *(["", _plain(diagnosis.sampling)] if diagnosis.sampling else []),
        *(["", "Stopped early: some detectors did not run."] if diagnosis.stopped else []),
        "",
        *(_overview(diagnosis) if diagnosis.findings else ["Nothing was confirmed."]),
        *(line for each in diagnosis.findings for line in _section(each)),
        "",
        "## What was looked at",
        "",
        "| detector | looked at | suspected | confirmed | |",
        "|---|---|---|---|---|",
        *(
            f"| {_plain(each.detector)} | {each.looked_at:,}: {_plain(each.what)} "
            f"| {each.suspected} | {each.confirmed} | {_plain(each.skipped)} |"
            for each in diagnosis.looked
        ),
    ]
    return "\n".join(lines) + "\n"


def _overview(diagnosis: Diagnosis) -> list[str]:
    return [
        "| code | finding | severity | rows | share of the loss | effect |",
        "|---|---|---|---|---|---|",
        *(
            f"| {each.code} | {_plain(each.title)} | {each.severity} | {each.size:,} "
            f"| {each.share:.0%} | {_effect(each)} |"
            for each in diagnosis.findings
        ),
    ]


def _section(finding: Finding) -> list[str]:
    return [
        "",
        f"## {finding.code} {_plain(finding.title)}",
        "",
        f"{_plain(finding.effect.name)}: {_effect(finding)}, n = {finding.effect.n:,}, adjusted "
        f"p = {finding.p_adjusted:.2g} ({_plain(finding.effect.method)}). {_plain(finding.cause)}.",
        *(["", "Could help:", ""] if finding.remedies else []),
        *(f"- {_plain(each.words)}" for each in finding.remedies),
    ]


def _effect(finding: Finding) -> str:
    interval = finding.effect.interval
    return f"{finding.effect.estimate:+.3f} \\[{interval.low:+.3f}, {interval.high:+.3f}\\]"


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
