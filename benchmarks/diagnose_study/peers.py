"""Another tool on the cases of this study, run by its own environment's Python: NAME FOLDER.

Reads ``*.csv`` (columns, ``truth``, ``said``) and ``*.npz`` (``codes``, ``shares``) with pandas
and NumPy, never with Assay, and writes ``NAME.json``: by case the rows of each slice that was told,
or the doubt of each label. A case on which the tool stops with an error is left out and told.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

QUARTERS = 4
SLICES = 5


def sliceline(rows: Any) -> list[list[int]]:
    """Return the five worst slices of SliceLine over quarters of each column."""
    import pandas as pd
    from sliceline import Slicefinder

    wrong = (rows.pop("truth") != rows.pop("said")).to_numpy().astype(float)
    cut = [pd.qcut(rows[name].rank(method="first"), QUARTERS, labels=False) for name in rows]
    matrix = np.column_stack(cut)
    finder = Slicefinder(alpha=0.95, k=SLICES, max_l=3, min_sup=8, verbose=False)
    found = np.asarray(finder.fit(matrix, wrong).transform(matrix))
    return [np.flatnonzero(column).tolist() for column in found.T if column.any()]


def giskard(rows: Any) -> list[list[int]]:
    """Return the slices of the performance scan of Giskard 2."""
    import giskard as tool

    logging.disable(logging.INFO)
    truth, said = rows.pop("truth"), rows.pop("said")
    labels = sorted(set(truth) | set(said))
    known = {tuple(row): labels.index(one) for row, one in zip(rows.to_numpy(), said, strict=True)}

    def answered(some: Any) -> Any:
        codes = [known[tuple(row)] for row in some.to_numpy(dtype=float)]
        return np.eye(len(labels))[codes]

    model = tool.Model(
        answered, model_type="classification", classification_labels=labels,
        feature_names=list(rows.columns),
    )  # fmt: skip
    data = tool.Dataset(rows.assign(truth=truth), target="truth", cat_columns=[])
    issues = tool.scan(model, data, only=["performance"], verbose=False).issues
    return [each.dataset.slice(each.slicing_fn).df.index.tolist() for each in issues]


def datalab(rows: Any) -> list[list[int]]:
    """Return the underperforming group of cleanlab's Datalab, if it tells one."""
    from cleanlab import Datalab

    truth, said = rows.pop("truth").to_numpy(), rows.pop("said").to_numpy()
    shares = np.full((len(truth), int(max(truth.max(), said.max())) + 1), 0.01)
    shares[np.arange(len(truth)), said] = 0.9
    shares /= shares.sum(axis=1, keepdims=True)
    matrix = rows.to_numpy(dtype=float)
    matrix = (matrix - matrix.mean(axis=0)) / (matrix.std(axis=0) + 1e-9)
    lab = Datalab({"truth": truth}, label_name="truth", verbosity=0)
    lab.find_issues(pred_probs=shares, features=matrix, issue_types={"underperforming_group": {}})
    told = lab.get_issues("underperforming_group")["is_underperforming_group_issue"].to_numpy()
    return [np.flatnonzero(told).tolist()] if told.any() else []


def doubts(path: Path, method: str) -> list[float]:
    """Return cleanlab's doubt of each label by one of its scores."""
    from cleanlab.rank import get_label_quality_scores

    data = np.load(path)
    quality = get_label_quality_scores(data["codes"], data["shares"], method=method)
    return [float(each) for each in -quality]


def main() -> None:
    import pandas as pd

    warnings.simplefilter("ignore")  # each tool's own version of pandas warns of something else
    name, folder = sys.argv[1], Path(sys.argv[2])
    os.environ["GSK_DISABLE_ANALYTICS"] = "1"
    slices: dict[str, Callable[[Any], list[list[int]]]] = {
        "sliceline": sliceline, "giskard": giskard, "datalab": datalab
    }  # fmt: skip
    if name in slices:
        found: dict[str, Any] = {}
        for path in sorted(folder.glob("*.csv")):
            try:
                found[path.stem] = slices[name](pd.read_csv(path, float_precision="round_trip"))
            except Exception as error:
                print(f"{name} stopped on {path.stem}: {error!r}"[:300], file=sys.stderr)
    else:
        found = {path.stem: doubts(path, name) for path in sorted(folder.glob("*.npz"))}
    (folder / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
