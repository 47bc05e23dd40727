"""Peers that live in environments of their own, as they ask for other releases than ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay import assets

# glibc gives large blocks back to the system and faults them in anew at each step of training,
# a quarter of its time; with these it keeps them.
KEEP_MEMORY = {f"MALLOC_{each}": str(2**32) for each in ("MMAP_THRESHOLD_", "TRIM_THRESHOLD_")}


def setfit(
    python: str,
    gold: tuple[Sequence[str], Sequence[str]],
    rows: Sequence[str],
    seed: int,
    steps: int = -1,
) -> list[str]:
    """Return SetFit's labels of rows, from gold texts and labels and our sentence encoder.

    ``steps`` is the most steps of training; by default as many as SetFit wants.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("config", "tokenizer", "weights"):
            shutil.copy(assets.fetch(f"minilm-{each}"), folder / f"minilm-{each}")
        asked = {"gold": {"text": list(gold[0]), "label": list(gold[1])}, "rows": list(rows)}
        (folder / "asked.json").write_text(json.dumps(asked))
        return [str(each) for each in _run(python, "setfit", folder, str(seed), str(steps))]


def crowdkit(
    python: str, votes: Mapping[str, NDArray[np.float64]], names: Sequence[str]
) -> list[str]:
    """Return crowd-kit's Dawid-Skene labels, from (n, k) probabilities by annotator."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = {who: each.argmax(axis=1).tolist() for who, each in votes.items()}
        (folder / "votes.json").write_text(json.dumps(said))
        return [names[code] for code in _run(python, "crowdkit", folder)]


def _run(python: str, peer: str, folder: Path, *more: str) -> list[int]:
    script = Path(__file__).with_name(f"label_{peer}.py")
    subprocess.run(
        [python, script, folder, *more],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, **KEEP_MEMORY},
    )
    return list(json.loads((folder / f"{peer}.json").read_text()))
