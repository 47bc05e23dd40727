"""How well do doubts find flipped labels, beside cleanlab on the same probabilities?

``--write FOLDER`` plants flips in tables of scikit-learn and writes labels, probabilities and
Assay's doubts. ``--score FOLDER``, run where cleanlab is installed, ranks by cleanlab's quality too
and prints both average precisions. The second needs no Assay.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

SHARES = (0.01, 0.05, 0.1, 0.2)
SEEDS = 5


def write(folder: Path) -> None:
    """Plant flips and write one file for each table, share and seed."""
    from assay.diagnose.detectors.label_errors import doubt
    from assay.diagnose.planting import with_flips
    from assay.recipe.confident import cross_fitted
    from diagnose import bases

    folder.mkdir(parents=True, exist_ok=True)
    for name, base in bases().items():
        matrix = base.rows.select(base.task.features).to_numpy()
        scaled = (matrix - matrix.mean(0)) / (matrix.std(0) + 1e-9)
        names = np.asarray(base.task.class_names, dtype=object)
        for share in SHARES:
            for seed in range(SEEDS if base.n < 1000 else 2):
                changed, flipped = with_flips(base, share, np.random.default_rng([seed, 7]))
                if not flipped.any():
                    continue
                codes = np.searchsorted(names, changed.truth)
                shares = cross_fitted(scaled, codes, len(names), folds=5, seed=seed)
                doubts = doubt(replace(changed, probabilities=shares))
                np.savez(
                    folder / f"{name}-{share}-{seed}.npz",
                    codes=codes, shares=shares, doubts=doubts, flipped=flipped,
                )  # fmt: skip


def score(folder: Path) -> dict[str, dict[str, float]]:
    """Return each way's mean average precision for each table and share."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.metrics import average_precision_score

    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.glob("*.npz")):
        data = np.load(path)
        setting = path.stem.rpartition("-")[0]
        ways = {"assay": data["doubts"]}
        for how in ("self_confidence", "normalized_margin"):
            quality = get_label_quality_scores(data["codes"], data["shares"], method=how)
            ways[f"cleanlab {how}"] = -quality
        for way, doubts in ways.items():
            found[setting][way].append(float(average_precision_score(data["flipped"], doubts)))
    return {
        setting: {way: round(float(np.mean(each)), 4) for way, each in ways.items()}
        for setting, ways in found.items()
    }


def main() -> None:
    """Write, or score and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--score", type=Path)
    options = parser.parse_args()
    if options.write is not None:
        write(options.write)
    if options.score is not None:
        print(json.dumps(score(options.score)))


if __name__ == "__main__":
    main()
