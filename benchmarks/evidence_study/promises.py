"""Thresholds, few labels, and the seconds that a million rows take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.evidence import accept_threshold, compare, estimate, mean_from_few


def thresholds(draws: int) -> dict[str, Any]:
    """How often a threshold's precision is below what was promised at 95 %."""
    result = {}
    for weighted in (False, True):
        rng = np.random.default_rng(0)
        violated = reached = 0
        coverage = []
        for draw_ in range(draws):
            n = 3000 if weighted else 1000
            scores = rng.random(n)
            correct = rng.random(n) < 0.6 + 0.4 * scores
            options: dict[str, Any] = {}
            if weighted:
                chance = np.clip(1.4 - scores, 0.5, 1)
                drawn = rng.random(n) < chance
                scores, correct = scores[drawn], correct[drawn]
                options = {"weights": 1 / chance[drawn], "max_weight": 2.0, "seed": draw_}
            found = accept_threshold(scores, correct, precision=0.9, confidence=0.95, **options)
            if found.threshold is not None:
                reached += 1
                coverage.append(found.coverage)
                violated += 0.8 + 0.2 * max(found.threshold, 0.0) < 0.9
        result["weighted" if weighted else "plain"] = {
            "violated": violated / draws,
            "allowed": 0.05,
            "reached": reached / draws,
            "coverage": float(np.mean(coverage)) if coverage else 0.0,
            "best_coverage": 0.5,
        }
    return result


def few_labels(draws: int) -> list[dict[str, Any]]:
    """Coverage of prediction-powered intervals, and the rows that the model is worth."""
    rows = []
    for n in (50, 200):
        for share in (0.5, 0.1):
            for quality in (0.0, 0.8, 0.95):
                rng = np.random.default_rng(n)
                hits, worth = 0, []
                for _ in range(draws):
                    truth = (rng.random(4000) < share).astype(float)
                    guess = np.where(rng.random(4000) < quality, truth, rng.random(4000))
                    fact = mean_from_few(truth[:n], guess[:n], guess[n:])
                    hits += share in fact.interval
                    worth.append(fact.details["effective_n"] / n)
                rows.append(
                    {
                        "checked": n,
                        "share": share,
                        "model_right": quality,
                        "covered": hits / draws,
                        "worth": float(np.median(worth)),
                    }
                )
    return rows


def speed(n: int) -> dict[str, dict[str, float]]:
    """Wall and processor seconds for one comparison of ``n`` rows; a busy machine parts them."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, n)
    before, after = (
        np.where(rng.random(n) < e, rng.integers(0, 10, n), truth) for e in (0.2, 0.19)
    )
    binary = truth % 2
    scores = [binary + rng.normal(size=n) for _ in range(2)]
    probabilities = [rng.dirichlet(np.ones(10), n) for _ in range(2)]
    small = slice(0, 1000)
    cases: dict[str, Callable[[slice], Any]] = {
        "accuracy": lambda s: compare(truth[s], before[s], after[s]),
        "log_loss_10_classes": lambda s: compare(
            truth[s], *(p[s] for p in probabilities), metric="log_loss"
        ),
        "mae": lambda s: compare(scores[0][s], binary[s], scores[1][s], metric="mae"),
        "auc": lambda s: compare(binary[s], *(x[s] for x in scores), metric="auc"),
        "macro_f1_2000_replicates": lambda s: compare(
            truth[s], before[s], after[s], metric="macro_f1", replicates=2000
        ),
        "average_precision": lambda s: compare(
            binary[s], *(x[s] for x in scores), metric="average_precision"
        ),
        "r2": lambda s: compare(scores[0][s], binary[s], scores[1][s], metric="r2"),
        "estimate_accuracy": lambda s: estimate(truth[s], after[s]),
    }
    seconds = {}
    for name, case in cases.items():
        case(small)  # imports are not what is measured
        wall, processor = time.perf_counter(), time.process_time()
        case(slice(0, n))
        seconds[name] = {
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
        }
    return seconds
