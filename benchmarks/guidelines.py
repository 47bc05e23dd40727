"""How often is a drafted description kept with the embedded model, and what does it gain?

Drafts come from half of the gold rows and are judged by the other half; where any is kept, the
labels before and after are compared on rows that took no part. Worked examples are left out of
the annotators, which would be asked again for every draft.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from assay.demo import reuters
from assay.evidence import compare
from assay.label import LabelSettings, LabelTask, draft_guidelines, label
from common import arguments, print_result, text_set

GOLD, ROWS, FINAL = 160, 150, 400


def sets(quick: bool) -> Iterator[tuple[str, pl.DataFrame, LabelTask]]:
    """Yield each set that is there, with a task that knows the classes' names alone."""
    r8 = reuters.test_split().rename({"topic": "label"})
    yield "r8", r8, LabelTask.of(sorted(r8["label"].unique().to_list()))
    for name in () if quick else ("agnews_test", "sst2_test"):
        found = text_set(name)
        if found is not None:
            found = found.select("text", "label")
            yield name, found, LabelTask.of(sorted(found["label"].unique().to_list()))


def final_accuracy(
    task: LabelTask, final: pl.DataFrame, gold: pl.DataFrame, settings: LabelSettings
) -> list[str]:
    """Return ``right`` or ``wrong`` for each row of the final split."""
    said = label(final.select("row_id", "text"), task, gold, settings=settings).table["label"]
    pairs = zip(said, final["label"], strict=True)
    return ["right" if one == other else "wrong" for one, other in pairs]


def one(name: str, rows: pl.DataFrame, task: LabelTask, seed: int) -> dict[str, Any]:
    """Draft, judge, and compare on the final split."""
    drawn = rows.sample(GOLD + ROWS + FINAL, seed=seed, shuffle=True).with_columns(
        row_id=pl.int_range(pl.len()).cast(pl.String)
    )
    gold, unlabelled, final = drawn[:GOLD], drawn[GOLD : GOLD + ROWS], drawn[GOLD + ROWS :]
    settings = LabelSettings(seed=seed, examples=0)
    found = draft_guidelines(unlabelled.select("row_id", "text"), task, gold, settings=settings)
    outcome: dict[str, Any] = {
        "set": name,
        "seed": seed,
        "drafts": [
            {
                "name": each.draft.name,
                "origin": each.draft.origin,
                "decision": each.verdict.decision,
                "gain": round(each.verdict.main.estimate, 4),
            }
            for each in found.drafts
        ],
        "final_gain": None,
    }
    if found.kept:
        before, after = (final_accuracy(each, final, gold, settings) for each in (task, found.task))
        gain = compare(["right"] * FINAL, before, after, classes=("right", "wrong"))
        outcome["final_gain"] = [gain.estimate, gain.interval.low, gain.interval.high]
    print(outcome, flush=True)
    return outcome


def main() -> None:
    """Run the sets and seeds; print one JSON object."""
    options = arguments(__doc__)
    runs = [
        one(name, rows, task, seed)
        for name, rows, task in sets(options.quick)
        for seed in range(1 if options.quick else 2)
    ]
    drafts = [each for run in runs for each in run["drafts"]]
    print_result(
        runs=runs,
        drafts=len(drafts),
        kept=sum(each["decision"] == "kept" for each in drafts),
        kept_if_the_mean_rose=sum(each["gain"] > 0 for each in drafts),
        by_the_model=sum(each["origin"].startswith("local:") for each in drafts),
        kept_by_the_model=sum(
            each["decision"] == "kept" and each["origin"].startswith("local:") for each in drafts
        ),
    )


if __name__ == "__main__":
    main()
