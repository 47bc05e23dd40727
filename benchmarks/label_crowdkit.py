"""crowd-kit's Dawid-Skene, run by its own environment's Python: FOLDER.

Reads ``votes.json`` (by annotator, the class code that it gives each row); writes the rows' codes
to ``crowdkit.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    folder = Path(sys.argv[1])
    votes = json.loads((folder / "votes.json").read_text())
    said = [
        (row, annotator, code)
        for annotator, codes in votes.items()
        for row, code in enumerate(codes)
    ]
    table = pd.DataFrame(said, columns=["task", "worker", "label"])
    found = DawidSkene(n_iter=100).fit_predict(table)
    codes = [int(found[row]) for row in range(len(found))]
    (folder / "crowdkit.json").write_text(json.dumps(codes))


if __name__ == "__main__":
    main()
