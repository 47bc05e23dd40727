"""A diagnosis as Markdown, for a pull request or a wiki."""

from __future__ import annotations

import re

from assay.diagnose.spec import Diagnosis, Finding
from assay.diagnose.strategies.tried import Fixes
from assay.evidence import Evidence
from assay.evidence.figures import effect_text

UNPROVEN = (
    "None of it is proven; `--try` does that. Only what removes a leak is to be done untried: no "
    "trial on rows that hold the leak can prove it."
)
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
        *(
            line
            for place, each in enumerate(diagnosis.findings)
            for line in (*_section(each), *_why(diagnosis, place))
        ),
        *_not_borne_out(diagnosis),
        *_to_do(diagnosis),
        *_tried(diagnosis.tried),
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


def _why(diagnosis: Diagnosis, place: int) -> list[str]:
    """Return the hypotheses on a finding that unseen rows bore out."""
    explained = diagnosis.explained
    lines: list[str] = []
    for each in () if explained is None else explained.of(place):
        if each.effect is not None:
            told = f"**{_plain(each.name)}.** {_plain(each.words)} Tested on "
            told += f"{_plain(each.test)}: {_interval(each.effect)}, "
            lines += ["", told + f"adjusted p = {each.p_adjusted:.2g}."]
    return lines


def _to_do(diagnosis: Diagnosis) -> list[str]:
    """Return what could be done, ranked."""
    if not diagnosis.strategies:
        return []
    return [
        "",
        "## What to try first",
        "",
        UNPROVEN,
        "",
        "| finding | what | expected fall of the loss | minutes | |",
        "|---|---|---|---|---|",
        *(
            f"| {each.code} {_plain(diagnosis.findings[each.finding].title)} "
            f"| {each.kind}: {_plain(each.words)} "
            f"| {'' if each.gain is None else f'{each.gain:.4f}'} | {each.minutes:,.0f} "
            f"| {'runs with --try' if each.runs else ''} |"
            for each in diagnosis.strategies
        ),
    ]


def _tried(tried: Fixes | None) -> list[str]:
    """Return what came of fixes, and of other splits."""
    if tried is None:
        return []
    vault = tried.confirmed
    return [
        "",
        "## What was tried",
        "",
        *([] if tried.fixes else ["No finding suggests an edit of the recipe."]),
        *(["| finding | fix | verdict | gain on all search rows | on the finding's rows, which "
           "flatter |", "|---|---|---|---|---|"] if tried.fixes else []),
        *(
            f"| {each.code} | {_plain(each.name)} | {each.verdict} | {_interval(each.on_all)} "
            f"| {'' if each.on_slice is None else _interval(each.on_slice)} |"
            for each in tried.fixes
        ),
        *([] if vault is None
          else ["", f"On the vault, all that was kept together: {_interval(vault)}."]),
        *(
            line for each in tried.splits
            for line in ("", f"{each.code}: {_plain(each.words)} ({each.scores}; change "
                         f"{_interval(each.change)}).")
        ),
    ]  # fmt: skip


def _not_borne_out(diagnosis: Diagnosis) -> list[str]:
    explained = diagnosis.explained
    if explained is None or not (explained.dropped or explained.skipped):
        return []
    return [
        "",
        f"## What {_plain(explained.model)} said that was not borne out",
        "",
        *(f"- {_plain(each.name)}: {_plain(each.dropped)}" for each in explained.dropped),
        *(f"- not explained: {_plain(each)}" for each in explained.skipped),
    ]


def _effect(finding: Finding) -> str:
    return _interval(finding.effect)


def _interval(fact: Evidence) -> str:
    return _plain(effect_text(fact))


def _plain(text: str) -> str:
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
