"""AutoGluon on one split, run by its own environment's Python: FOLDER TARGET METRIC SECONDS SEED.

Reads ``train.parquet`` and ``test.parquet`` with pandas; writes ``answer.json``. It has the presets
that are meant for the best score (``best_quality``), and draws its own seeds: SEED is not used.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

METRICS = {
    "auc": "roc_auc",
    "log_loss": "log_loss",
    "rmse": "root_mean_squared_error",
    "accuracy": "accuracy",
}
PRESETS = "best_quality"
PROCESSORS = 2


def main() -> None:
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    folder, target, metric, seconds, _ = sys.argv[1:]
    train, test = (pd.read_parquet(Path(folder) / f"{each}.parquet") for each in ("train", "test"))
    predictor: Any = TabularPredictor(
        label=target,
        problem_type="regression" if metric == "rmse" else None,
        eval_metric=METRICS[metric],
        path=str(Path(folder) / "models"),
        verbosity=0,
    )
    # Its search for a depth of stacking takes a quarter of the time, and without Ray a first part
    # that trained nothing in so short a time ends the whole.
    predictor.fit(
        train,
        time_limit=float(seconds),
        presets=PRESETS,
        num_cpus=PROCESSORS,
        dynamic_stacking=False,
    )
    inputs = test.drop(columns=target)
    if metric == "rmse":
        answer: dict[str, Any] = {"values": predictor.predict(inputs).tolist()}
    else:
        told = predictor.predict_proba(inputs)
        classes = [str(each) for each in told.columns]
        answer = {"classes": classes, "values": told.to_numpy().tolist()}
    board = predictor.leaderboard().set_index("model")
    validated = float(board.loc[predictor.model_best, "score_val"])  # greater is better
    claimed = validated if metric in ("auc", "accuracy") else -validated
    answer |= {"claimed": claimed, "what": predictor.model_best}
    (Path(folder) / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
