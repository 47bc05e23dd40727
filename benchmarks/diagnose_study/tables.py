"""The results file as the Markdown tables of docs/diagnosis.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def page(document: dict[str, Any]) -> str:
    """Return the tables of the parts that the document holds."""
    parts = {"slices": _slices, "whole": _whole, "labels": _labels, "fixes": _fixes}
    found = [lines(document[name]) for name, lines in parts.items() if name in document]
    return "\n\n".join("\n".join(each) for each in found)


def _slices(ways: dict[str, Any]) -> Iterator[str]:
    """Yield a table of the ways that were given all cases, and one of those given some."""
    most = max(each["cases"] for each in ways.values())
    yield from _recall({name: each for name, each in ways.items() if each["cases"] == most})
    if some := {name: each for name, each in ways.items() if each["cases"] < most}:
        yield ""
        yield from _recall(some)


def _recall(ways: dict[str, Any]) -> Iterator[str]:
    yield "| planted | " + " | ".join(ways) + " |"
    yield "|---|" + "---|" * len(ways)
    for kind in next(iter(ways.values()))["slices"]:
        conditions, _, strength = kind.partition(" at ")
        name = f"{conditions} condition{'s' * (conditions != '1')}, {float(strength):.0%} fail"
        cells = [f"{each['slices'][kind]['recall']:.0%}" for each in ways.values()]
        yield f"| {name} | " + " | ".join(cells) + " |"
    precise = [_precision(each["slices"]) for each in ways.values()]
    yield "| of what is told, the planted one | " + " | ".join(precise) + " |"
    tries = [
        str(each["n"]) for way in ways.values() for each in [next(iter(way["slices"].values()))]
    ]
    yield "| tries of each kind | " + " | ".join(tries) + " |"
    alarms = [f"{each['false_alarms']:.1%} of {each['clean']}" for each in ways.values()]
    yield "| false alarms on clean rows | " + " | ".join(alarms) + " |"


def _precision(kinds: dict[str, Any]) -> str:
    known = [
        each["precision_at_10"] for each in kinds.values() if each["precision_at_10"] is not None
    ]
    return f"{sum(known) / len(known):.0%}" if known else "-"


def _whole(whole: dict[str, Any]) -> Iterator[str]:
    yield "| planted | tries | found | of the first ten findings, the fault |"
    yield "|---|---|---|---|"
    for fault, each in whole["faults"].items():
        precise = each["precision_at_10"]
        share = "-" if precise is None else f"{precise:.0%}"
        found = f"{each['recall']:.0%} [{each['low']:.0%}, {each['high']:.0%}]"
        yield f"| {fault} | {each['tries']} | {found} | {share} |"
    clean = whole["clean"]
    told = f"{clean['with_any_finding']:.1%} [{clean['low']:.1%}, {clean['high']:.1%}]"
    yield f"| nothing: any finding at all | {clean['cases']} | {told} | |"
    yield ""
    shares = sorted({name.rpartition(", ")[2] for name in whole["labels"]}, key=_percent)
    yield "| labels flipped: AS201 told | " + " | ".join(shares) + " |"
    yield "|---|" + "---|" * len(shares)
    for kind in dict.fromkeys(name.rpartition(", ")[0] for name in whole["labels"]):
        cells = [f"{whole['labels'][f'{kind}, {share}']['recall']:.0%}" for share in shares]
        yield f"| {kind.replace(': labels flipped', '')} | " + " | ".join(cells) + " |"


def _percent(words: str) -> float:
    return float(words.rstrip("%"))


def _labels(ways: dict[str, Any]) -> Iterator[str]:
    yield "| flipped labels, average precision | " + " | ".join(ways) + " |"
    yield "|---|" + "---|" * len(ways)
    for setting in ways["assay"]:
        table, _, share = setting.rpartition("-")
        cells = [f"{each[setting]:.3f}" for each in ways.values()]
        yield f"| {table}, {float(share):.0%} | " + " | ".join(cells) + " |"


def _fixes(faults: dict[str, Any]) -> Iterator[str]:
    yield "| fault | acting on what is | cases | with a fix | mean gain | helped | clearly harmed |"
    yield "|---|---|---|---|---|---|---|"
    everything = faults["all"]
    kinds = {name: each for name, each in faults.items() if name not in ("tables", "all")}
    for fault, ways in (kinds | {"all": everything}).items():
        for way, each in ways.items():
            gain = "-" if each["mean_gain"] is None else f"{each['mean_gain']:+.3f}"
            helped, harmed = (_counted(each[name]) for name in ("helped", "clearly_harmed"))
            counts = f"{each['cases']} | {each['recommended']}"
            yield f"| {fault} | {way} | {counts} | {gain} | {helped} | {harmed} |"


def _counted(share: dict[str, Any] | None) -> str:
    if share is None:
        return "-"
    return f"{share['count']} of {share['of']} [{share['low']:.0%}, {share['high']:.0%}]"
