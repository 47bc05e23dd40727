"""FLAML on one split, run by its own environment's Python: FOLDER TARGET METRIC SECONDS SEED.

Reads ``train.parquet`` and ``test.parquet`` with pandas; writes ``answer.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

METRICS = {"auc": "roc_auc", "log_loss": "log_loss", "rmse": "rmse", "accuracy": "accuracy"}


def main() -> None:
    import pandas as pd
    from flaml import AutoML

    folder, target, metric, seconds, seed = sys.argv[1:]
    train, test = (pd.read_parquet(Path(folder) / f"{each}.parquet") for each in ("train", "test"))
    automl: Any = AutoML()
    automl.fit(
        X_train=train.drop(columns=target),
        y_train=train[target],
        task="regression" if metric == "rmse" else "classification",
        metric=METRICS[metric],
        time_budget=float(seconds),
        seed=int(seed),
        verbose=0,
        n_jobs=2,
    )
    loss = float(automl.best_loss)
    claimed = 1 - loss if metric in ("auc", "accuracy") else loss
    inputs = test.drop(columns=target)
    if metric == "rmse":
        answer: dict[str, Any] = {"values": automl.predict(inputs).tolist()}
    else:
        classes = [str(each) for each in automl.classes_]
        answer = {"classes": classes, "values": automl.predict_proba(inputs).tolist()}
    answer |= {"claimed": claimed, "what": automl.best_estimator}
    (Path(folder) / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
