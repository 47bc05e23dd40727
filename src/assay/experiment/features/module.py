"""The kept features as one readable module, each with the evidence that kept it."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping

from assay.recipe import Derived

HEADER = '''\
"""Features of this project that passed their test.

Written from recipe.toml, which is what is built and what to edit.
"""

from __future__ import annotations
'''
_WIDTH = 88


def features_module(features: Iterable[Derived], evidence: Mapping[str, str]) -> str:
    """Return Python source with a function for each feature.

    Parameters
    ----------
    evidence
        By feature name, what its test found, in words; it goes into the docstring.
    """
    taken: set[str] = set()
    parts = [HEADER]
    for each in features:
        parts.append(_function(each, evidence.get(each.name, ""), _free_name(each.name, taken)))
    return "\n\n".join(parts)


def _function(feature: Derived, found: str, name: str) -> str:
    tree = ast.parse(feature.code)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "feature":
            node.name = name
            told = ast.get_docstring(node) or feature.name
            if ast.get_docstring(node) is not None:
                node.body.pop(0)
            about = [told, f"Reads: {', '.join(feature.columns)}.", *([found] if found else [])]
            lines = "\n\n    ".join("\n    ".join(textwrap.wrap(each, _WIDTH)) for each in about)
            node.body.insert(0, ast.Expr(ast.Constant(lines + "\n    ")))
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _free_name(name: str, taken: set[str]) -> str:
    stem = re.sub(r"\W+", "_", name.lower()).strip("_") or "feature"
    stem = f"feature_{stem}" if stem[0].isdigit() else stem
    found, number = stem, 2
    while found in taken:
        found, number = f"{stem}_{number}", number + 1
    taken.add(found)
    return found
