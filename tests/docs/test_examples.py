"""Every Python example in the documents runs, in order, in a folder with ``news.csv``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsroom import newsroom

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_examples_run(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = newsroom(260).drop("row_id")
    rows.write_csv("news.csv")
    truth = rows["topic"].to_list()
    known = {
        "table": rows.rename({"topic": "stars"}),
        "truth": truth,
        "before": ["farm"] * 130 + truth[130:],
        "after": ["farm"] * 30 + truth[30:],
        "customer": [str(number // 3) for number in range(260)],
    }
    for number, block in enumerate(BLOCK.findall(document.read_text(encoding="utf-8"))):
        exec(compile(block, f"{document.name}[{number}]", "exec"), known)  # noqa: S102


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (document.parent / target).exists(), target
