"""A gate's verdict as Markdown for a pull request and as JUnit for a build server."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from assay.evidence.gate import Gated
from assay.evidence.policy import fails
from assay.evidence.spec import Evidence

MARKS = {"kept": "✅ kept", "dropped": "❌ dropped", "undecided": "❔ undecided"}


def to_markdown(gated: Gated) -> str:
    """Return a short report; names from the data cannot become markup."""
    verdict = gated.verdict
    lines = [
        f"### Assay gate: {MARKS[verdict.decision]}",
        "",
        _plain(verdict.reason),
        "",
        "| what | change | 95 % interval | p | n | holds |",
        "|---|---:|---:|---:|---:|:---:|",
    ]
    gain, *guards = verdict.evidence
    lines.append(_row(gain, "yes" if verdict.kept else "no"))
    lines += [_row(each, "no" if fails(each) else "yes") for each in guards]
    if gated.more_rows is not None:
        lines += ["", f"About {gated.more_rows} more labelled rows would decide it."]
    lines += ["", f"<sub>{_plain(gain.method)}</sub>", ""]
    return "\n".join(lines)


def to_junit(gated: Gated) -> str:
    """Return one test case for the gain and one for each guard."""
    verdict = gated.verdict
    gain, *guards = verdict.evidence
    failed = [each for each in guards if fails(each)]
    suite = Element(
        "testsuite",
        name="assay gate",
        tests=str(1 + len(guards)),
        failures=str(len(failed) + (verdict.decision == "dropped" and not failed)),
        skipped=str(int(verdict.decision == "undecided")),
    )
    case = SubElement(suite, "testcase", classname="assay.gate", name=_legal(gain.name))
    if verdict.decision == "undecided":
        SubElement(case, "skipped", message=_legal(verdict.reason))
    elif verdict.decision == "dropped" and not failed:
        SubElement(case, "failure", message=_legal(verdict.reason))
    for guard in guards:
        case = SubElement(suite, "testcase", classname="assay.gate", name=_legal(guard.name))
        if fails(guard):
            SubElement(case, "failure", message=_legal(str(guard)))
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _row(fact: Evidence, holds: str) -> str:
    p = "" if fact.p_value is None else f"{fact.p_value:.2g}"
    name = _plain(fact.name)
    return f"| {name} | {fact.estimate:+.4f} | {fact.interval} | {p} | {fact.n} | {holds} |"


def _plain(text: str) -> str:
    """Escape what Markdown or HTML would read as markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_|[]":
        escaped = escaped.replace(mark, "\\" + mark)
    return " ".join(escaped.split())


def _legal(text: str) -> str:
    """Drop control characters, which XML cannot hold."""
    return "".join(each for each in text if each >= " ")
