"""A made-up result for looking at the report; its figures mean nothing."""

from __future__ import annotations

from dataclasses import replace

from assay.evidence import Confirmation, Evidence, Interval, Verdict
from assay.improve.spec import (
    Attempt,
    Confusion,
    Cost,
    CurvePoint,
    ImproveResult,
    RowCounts,
    Skipped,
)
from assay.recipe import baseline_recipe, recipe_diff
from assay.task import ClassDescription, Task

NASTY = '<script>alert("1")</script>'
TASK = Task(
    kind="multiclass",
    modality="text",
    target="topic",
    text="text",
    classes=tuple(ClassDescription(name=name) for name in ("earn", "acq", NASTY)),
)
BASELINE = baseline_recipe(TASK)


def fact(name: str, estimate: float, half: float, number: int, n: int = 300) -> Evidence:
    interval = Interval(estimate - half, estimate + half)
    return Evidence(name, estimate, interval, n, "made up", 0.03, {}, f"evidence-{number}")


def attempt(number: int, decision: str, estimate: float, name: str) -> Attempt:
    gain = fact("gain in accuracy", estimate, 0.02, number)
    guard = fact(f"change in recall of {NASTY!r}", -0.01, 0.04, number + 50, 40)
    after = BASELINE.with_parameters(C=float(number + 2))
    return Attempt(
        name=name,
        source="made up",
        rationale="because it may help",
        origin="rule:made-up",
        recipe_hash=after.hash,
        diff=recipe_diff(BASELINE, after),
        verdict=Verdict(decision, "It is made up.", (gain, guard)),  # type: ignore[arg-type]
        proposal_id=f"proposal-{number}",
        trial_id=f"trial-{number}",
        verdict_id=f"verdict-{number}",
        seconds=1.5,
    )


def made_up_result(attempts: int = 5) -> ImproveResult:
    decisions = ("kept", "dropped", "undecided")
    tried = tuple(
        attempt(
            number,
            decisions[number % 3],
            (0.06, -0.03, 0.004)[number % 3],
            f"{NASTY} proposal {number} " + "with a very long name " * (number % 2),
        )
        for number in range(attempts)
    )
    gain = replace(fact("gain in accuracy", 0.08, 0.05, 90, 100))
    after = BASELINE.with_parameters(C=10.0)
    counts = ((40, 2, 1), (3, 30, 0), (9, 0, 3))
    return ImproveResult(
        project="news",
        run="run-1",
        task=TASK,
        seed=0,
        rows=RowCounts(300, 3000, 100),
        baseline=BASELINE,
        recipe=after,
        diff=recipe_diff(BASELINE, after),
        attempts=tried,
        skipped=(Skipped("label", f"no rows in {NASTY}", "event-3"),),
        screened_before=fact("accuracy", 0.8, 0.04, 91),
        screened_after=fact("accuracy", 0.88, 0.03, 92),
        confirmed=Confirmation(
            verdict=Verdict("kept", "It is made up.", (gain,)),
            before=fact("accuracy", 0.8, 0.06, 93, 100),
            after=fact("accuracy", 0.88, 0.05, 94, 100),
            looks_left=0,
            id="verdict-99",
        ),
        learning_curve=tuple(
            CurvePoint(
                rows,
                fact("accuracy", 0.6 + rows / 2000, 0.05, rows),
                fact("accuracy", 0.7 + rows / 1500, 0.04, rows + 1),
            )
            for rows in (75, 150, 300)
        ),
        confusion_before=Confusion(TASK.class_names, counts, "evidence-95"),
        confusion_after=Confusion(TASK.class_names, counts, "evidence-96"),
        cost=Cost(0.0, 3300, 12, 210_000, 201.0, 1800.0, ("local:smollm2-135m",)),
    )
