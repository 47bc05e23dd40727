"""Planted faults in real tables: what is found, what is a false alarm, and what fixes gain.

Parts: ``slices`` and ``labels``, beside other tools; ``whole``, all detectors together; ``fixes``,
what recommended fixes do on rows that nobody looked at; ``speed``. ``--parts`` picks some,
``--out`` adds them to a results file, and ``--table FILE`` prints that file as the tables of
docs/diagnosis.md. Other tools run in environments of their own:
``python -m venv P && P/bin/pip install sliceline 'cleanlab[datalab]'``, another with ``giskard``,
and ``--peer sliceline=P/bin/python --peer datalab=P/bin/python --peer giskard=...``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diagnose_study import fixes, labels, slices, speed, whole
from diagnose_study.bases import predicted
from diagnose_study.tables import page

PARTS = ("slices", "labels", "whole", "fixes", "speed")
CLEANLAB = ("self_confidence", "normalized_margin")
"""Scores of labels that cleanlab gives, by its own names; run by Datalab's Python."""
LABEL_SEEDS = 5
MOST_COLUMNS = 30
"""Of a table that other tools are given; SliceLine took over 19 GB for the 64 of digits."""


def main() -> None:
    """Run the chosen parts and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one seed, one table, no fixes tried")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--fix-seeds", type=int, default=1)
    parser.add_argument("--peer-seeds", type=int, default=5)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--out", type=Path, help="a results file to add to")
    parser.add_argument("--table", type=Path, help="print the tables of a results file; no run")
    options = parser.parse_args()
    if options.table is not None:
        print(page(json.loads(options.table.read_text(encoding="utf-8"))))
        return
    document = {} if options.out is None or not options.out.exists() else json.loads(
        options.out.read_text(encoding="utf-8")
    )  # fmt: skip
    peers = dict(each.split("=", 1) for each in options.peer)
    for part in options.parts:
        for found in _run(part, options, peers):
            document[part] = found
            if options.out is not None:
                options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document))


def _run(
    part: str, options: argparse.Namespace, peers: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield what a part found, of a long one what it has found so far."""
    seeds = 1 if options.quick else options.seeds
    if part == "slices":
        yield _slices(seeds, min(seeds, options.peer_seeds), peers)
    elif part == "labels":
        yield _labels(min(seeds, LABEL_SEEDS), peers.get("datalab"))
    elif part == "whole":
        yield whole.study(seeds, 1 if options.quick else 3, _tell)
    elif part == "fixes":
        yield from fixes.study(options.fix_seeds, quick=options.quick, tell=_tell)
    else:
        rows = 10_000 if options.quick else 100_000
        yield {
            "rows": rows, "columns": 30,
            "answers_alone": speed.seconds(rows, everything=False),
            "everything_given": speed.seconds(rows, everything=True),
        }  # fmt: skip


def _slices(seeds: int, peer_seeds: int, peers: Mapping[str, str]) -> dict[str, Any]:
    bases = predicted()
    every = list(slices.tries(bases, seeds))
    found = {way: slices.summary(every, told) for way, told in slices.answers(every).items()}
    narrow = {name: each for name, each in bases.items() if len(each.columns) <= MOST_COLUMNS}
    some = list(slices.tries(narrow, peer_seeds)) if peers else []
    with tempfile.TemporaryDirectory() as folder:
        slices.write(some, Path(folder))
        if peers:
            found["assay, cases of the others"] = slices.summary(
                some, slices.answers(some)["assay"]
            )
        for name, python in peers.items():
            told = slices.told_by(_peer(name, python, Path(folder)), some)
            found[name] = slices.summary(some, told)
            _tell(f"slices: {name} done")
    return found


def _labels(seeds: int, python: str | None) -> dict[str, Any]:
    every = list(labels.cases(predicted(), seeds))
    found = {"assay": labels.precision(every, labels.by_assay(every))}
    if python is None:
        return found
    with tempfile.TemporaryDirectory() as folder:
        labels.write(every, Path(folder))
        for method in CLEANLAB:
            doubts = json.loads(_peer(method, python, Path(folder)).read_text("utf-8"))
            found[f"cleanlab {method}"] = labels.precision(every, doubts)
    return found


def _peer(name: str, python: str, folder: Path) -> Path:
    script = Path(__file__).parent / "diagnose_study" / "peers.py"
    command: Sequence[str] = [python, str(script), name, str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / f"{name}.json"


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
