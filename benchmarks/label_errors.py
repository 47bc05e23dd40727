"""How well are wrong labels found, beside cleanlab and plain self-confidence?

Labels of three text sets are flipped, evenly or each class into one other. Both sides get the
same MiniLM embeddings; cleanlab, where it is installed, gets the same out-of-fold probabilities
of the linear model. The sets hold wrong labels of their own, which count against every method.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from assay.demo import reuters
from assay.label import find_label_errors
from assay.label.suspects import SuspectResult
from assay.recipe.confident import cross_fitted
from assay.seeds import derive_seed
from common import arguments, print_result, text_set

ROWS = 1500
RATES = (0.05, 0.1, 0.2)
Codes = NDArray[np.intp]
Scores = NDArray[np.float64]


class Remembered:
    """MiniLM, each text embedded once for all plantings."""

    name = "local:minilm"

    def __init__(self) -> None:
        from assay.llm.registry import load

        self._model = load(self.name)
        self._known: dict[str, NDArray[np.float32]] = {}

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Return (n, 384) vectors."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._model.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def sets(quick: bool) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each set that is there: ``text`` and ``label``."""
    yield "r8", reuters.test_split().rename({"topic": "label"})
    for name in () if quick else ("agnews_test", "sst2_test"):
        found = text_set(name)
        if found is not None:
            yield name, found.select("text", "label")


def planted(labels: Codes, classes: int, rate: float, how: str, seed: int) -> Codes:
    """Return labels of which a share is flipped, to any other class or to the next one."""
    random = np.random.default_rng(derive_seed(seed, how, str(rate)))
    flipped = random.random(len(labels)) < rate
    if how == "uniform":
        step = random.integers(1, classes, len(labels))
    else:
        step = np.ones(len(labels), dtype=np.intp)
    return np.where(flipped, (labels + step) % classes, labels)


def scores(table: pl.DataFrame, names: list[str], result: SuspectResult, seed: int,
           model: Remembered) -> dict[str, tuple[Scores, int]]:  # fmt: skip
    """Return each method's doubt of every row, and how many rows it flags."""
    given = np.array([names.index(each) for each in table["label"]], dtype=np.intp)
    vectors = model.embed(table["text"].to_list()).astype(np.float64)
    shares = cross_fitted(vectors, given, len(names), folds=5, seed=derive_seed(seed, "suspects"))
    order = dict(zip(result.table["row_id"], result.table["rank"], strict=True))
    ranked = np.array([-order[each] for each in table["row_id"]], dtype=np.float64)
    own = shares[np.arange(len(given)), given]
    found = {
        "assay": (ranked, result.flagged.height),
        "self_confidence": (-own, int((shares.argmax(axis=1) != given).sum())),
    }
    if find_spec("cleanlab") is not None:
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        quality = -get_label_quality_scores(given, shares)
        found["cleanlab"] = (quality, int(find_label_issues(given, shares, n_jobs=1).sum()))
    return found


def measured(bad: NDArray[np.bool_], doubt: Scores, count: int) -> dict[str, float]:
    """Return how well a ranking finds the planted flips."""
    top = np.argsort(-doubt, kind="stable")[:count]
    return {
        "average_precision": float(average_precision_score(bad, doubt)),
        "precision_at_flagged": float(bad[top].mean()) if count else float("nan"),
        "recall_at_flagged": float(bad[top].sum() / bad.sum()),
        "flagged_to_planted": count / float(bad.sum()),
    }


def main() -> None:
    """Plant, search, measure; print one JSON object."""
    options = arguments(__doc__)
    model = Remembered()
    figures: dict[str, list[dict[str, float]]] = defaultdict(list)
    paired: list[float] = []
    held, ratios = 0, []
    for name, full in sets(options.quick):
        names = sorted(full["label"].unique().to_list())
        for seed in range(1 if options.quick else 3):
            rows = full.sample(min(ROWS, full.height), seed=seed, shuffle=True)
            rows = rows.with_columns(row_id=pl.int_range(pl.len()).cast(pl.String))
            labels = np.array([names.index(each) for each in rows["label"]], dtype=np.intp)
            for how in ("uniform", "class"):
                for rate in RATES:
                    wrong = planted(labels, len(names), rate, how, seed)
                    table = rows.with_columns(label=pl.Series([names[code] for code in wrong]))
                    result = find_label_errors(table, "label", models={model.name: model},
                                               seed=seed)  # fmt: skip
                    bad = wrong != labels
                    found: dict[str, Any] = {}
                    for method, (doubt, count) in scores(table, names, result, seed, model).items():
                        found[method] = measured(bad, doubt, count)
                        for group in (method, f"{method}:{name}", f"{method}:{how}:{rate:g}"):
                            figures[group].append(found[method])
                    if "cleanlab" in found:
                        paired.append(found["assay"]["average_precision"]
                                      - found["cleanlab"]["average_precision"])  # fmt: skip
                    ratios.append(result.errors.estimate / float(bad.sum()))
                    held += bad.sum() in result.errors.interval
            print(f"{name} seed {seed}: done", flush=True)
    means = {
        group: {key: float(np.mean([each[key] for each in all_])) for key in all_[0]}
        for group, all_ in figures.items()
    }
    gain = np.array(paired)
    print_result(
        figures=means,
        settings=len(ratios),
        estimated_to_planted=float(np.mean(ratios)),
        planted_inside_the_interval=held,
        gain_over_cleanlab={
            "average_precision": float(gain.mean()),
            "standard_error": float(gain.std(ddof=1) / len(gain) ** 0.5),
            "better_in": int((gain > 0).sum()),
        }
        if len(gain) > 1
        else None,
    )


if __name__ == "__main__":
    main()
