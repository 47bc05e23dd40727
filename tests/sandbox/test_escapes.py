"""No program leaves a sandbox by a way that the sandbox says it holds shut.

What a sandbox does not claim to stop is tried too, and must get out: so a declaration is
neither too bold nor too meek, and every attempt that is called real is shown to be one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.sandbox import Outcome, Protection, Sandbox, run
from assay.sandbox.bubblewrap import Bubblewrap
from assay.sandbox.plain import Plain
from sandbox.escapes import ESCAPES, Escape

BARE = Plain(kernel=False)
SANDBOXES: dict[str, Sandbox] = {"plain": Plain(), "bare": BARE}
if Bubblewrap.works():
    SANDBOXES["bubblewrap"] = Bubblewrap()


def _cases() -> list[object]:
    return [
        pytest.param(sandbox, escape, id=f"{name}: {escape.name}")
        for name, sandbox in SANDBOXES.items()
        for escape in ESCAPES
        if sandbox is not BARE or (escape.real and escape.against not in BARE.protections)
    ]


@pytest.mark.parametrize(("sandbox", "escape"), _cases())
def test_a_way_out_is_as_the_sandbox_declares(
    sandbox: Sandbox, escape: Escape, there: dict[str, object]
) -> None:
    outcome = run(
        escape.program, {"there": there}, outputs=["got"], limits=escape.limits, sandbox=sandbox
    )
    if escape.against in sandbox.protections:
        assert not _out(outcome), outcome
        assert Path(str(there["file"])).read_text() == "mine"
    elif escape.real:
        assert _out(outcome), outcome


def _out(outcome: Outcome) -> bool:
    return outcome.ok and bool(outcome.outputs["got"])


def test_bubblewrap_holds_programs_from_everything() -> None:
    if "bubblewrap" not in SANDBOXES:
        pytest.skip("bubblewrap does not work on this system")
    assert SANDBOXES["bubblewrap"].protections == set(Protection)
