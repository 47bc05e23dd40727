"""Several answers about one row become one: each field by majority, spans only if verified."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.label.extract.spans import find_span

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Agreed:
    """What several answers about one row come to.

    Attributes
    ----------
    label
        The object; None where a span stands in the text in no answer.
    agreement
        Share of the answers that gave each field its value.
    exact
        Share of the spans that were given letter for letter; 1 without spans.
    why
        The reason where there is no object.
    """

    label: dict[str, Any] | None
    agreement: tuple[float, ...]
    exact: float = 1.0
    why: str = ""


def agreed(answers: Sequence[Fields], text: str, names: Sequence[str], spans: set[str]) -> Agreed:
    """Return the object that most answers give, field by field; the first wins a tie."""
    label: dict[str, Any] = {}
    shares, exact = [], []
    for name in names:
        said = [_verified(each.get(name), text) if name in spans else (each.get(name), 1.0)
                for each in answers]  # fmt: skip
        known = [each for each in said if each is not None]
        if not known:
            nothing = (0.0,) * len(names)
            return Agreed(None, nothing, why=f"the words of {name!r} do not stand in the text")
        keys = [canonical(value) for value, _ in known]
        best, count = Counter(keys).most_common(1)[0]
        label[name], share = known[keys.index(best)]
        shares.append(count / len(answers))
        if name in spans:
            exact.append(share)
    return Agreed(label, tuple(shares), sum(exact) / len(exact) if exact else 1.0)


def canonical(value: Any) -> str:
    """Return a value's text in which case, blanks and the writing of numbers do not count.

    A span counts by its words, and by its place where it has one.
    """
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def same(found: Any, true: Any) -> bool:
    """Whether a field's value is right; a span without a place is judged by its words alone."""
    if _is_span(found) and _is_span(true) and true.get("start") is None:
        return canonical(found["text"]) == canonical(true["text"])
    if isinstance(found, list) and isinstance(true, list):
        return len(found) == len(true) and all(map(same, found, true))
    return canonical(found) == canonical(true)


def _is_span(value: Any) -> bool:
    return isinstance(value, dict) and "text" in value and "start" in value


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return float(f"{value:.12g}")
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)


def _verified(value: Any, text: str) -> tuple[Any, float] | None:
    """Return words with their place and whether they were exact; None where they do not stand."""
    if value is None:
        return None, 1.0
    if isinstance(value, list):
        each = [find_span(str(words), text) for words in value]
        if any(span is None for span in each):
            return None
        found = [span for span in each if span is not None]
        exact = sum(span.exact for span in found) / len(found) if found else 1.0
        return [span.as_dict() for span in found], exact
    one = find_span(str(value), text)
    return None if one is None else (one.as_dict(), float(one.exact))
