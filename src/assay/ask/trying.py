"""Trying a snippet: it runs in the sandbox, on rows, and must keep its promise there."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from assay.ask.given import Given
from assay.ask.spec import Snippet, Trial
from assay.sandbox import Limits, Outcome, Sandbox, chosen, run, weakness

LIMITS = Limits(wall_seconds=60, cpu_seconds=60, file_mebibytes=64, output_bytes=2**20)
_DONE = "post_condition_met"
_LINE = re.compile(r'File "<program>", line (\d+)')


def try_snippet(snippet: Snippet, given: Given, sandbox: Sandbox | None = None) -> Trial:
    """Run a snippet and its post-condition on the given rows."""
    sandbox = sandbox or chosen()
    program = f"{snippet.code}\n{snippet.check}\n{_DONE} = True\n"
    outcome = run(program, given.variables(), outputs=[_DONE], limits=LIMITS, sandbox=sandbox)
    return Trial(
        met=outcome.ok and outcome.outputs[_DONE] is True,
        why="" if outcome.ok else _why(outcome, snippet),
        rows=given.rows.height,
        whose=given.whose,
        seconds=outcome.seconds,
        sandbox=outcome.sandbox,
        weakness=weakness(sandbox),
    )


def fault_of(snippet: Snippet) -> str:
    """Return what is wrong with a snippet that can be seen without running it; empty if nothing.

    A post-condition must assert something of what the code makes: one that cannot fail would
    pass anything.
    """
    try:
        code, check = ast.parse(snippet.code), ast.parse(snippet.check)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"It is no Python: {error}"
    made = set(_made(code))
    asserted = [each.test for each in ast.walk(check) if isinstance(each, ast.Assert)]
    read = {
        name.id for test in asserted for name in ast.walk(test) if isinstance(name, ast.Name)
    } | {each.id for each in ast.walk(check) if isinstance(each, ast.Name) and asserted}
    if not read & made:
        return "The post-condition asserts nothing of what the code makes."
    return ""


def modules_of(code: str) -> list[str]:
    """Return the top-level modules that code imports, the standard library's left out."""
    found: dict[str, None] = {}
    for each in ast.walk(ast.parse(code)):
        if isinstance(each, ast.Import):
            found |= dict.fromkeys(alias.name.partition(".")[0] for alias in each.names)
        elif isinstance(each, ast.ImportFrom) and each.module and not each.level:
            found[each.module.partition(".")[0]] = None
    return [name for name in found if name not in sys.stdlib_module_names]


def _made(tree: ast.AST) -> Iterator[str]:
    for each in ast.walk(tree):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, ast.FunctionDef | ast.ClassDef):
            yield each.name


def _why(outcome: Outcome, snippet: Snippet) -> str:
    lines = [int(each) for each in _LINE.findall(outcome.printed)]
    if outcome.status == "failed" and lines and lines[0] > len(snippet.code.splitlines()):
        return f"The post-condition does not hold: {outcome.why}"
    return outcome.why
