"""Clearer class descriptions, drafted from what annotators got wrong and kept only by the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.errors import AssayError, InputError
from assay.evidence import Verdict, compare, decide
from assay.label.drafting import Draft, Misread, drafts_by_model, drafts_by_rule
from assay.label.gold import read_gold
from assay.label.kinds import Fitted, kind_of
from assay.label.open import opened
from assay.label.rows import read_rows
from assay.label.spec import Gold, LabelSettings
from assay.label.task import LabelTask
from assay.llm import Budget, Gateway, Progress
from assay.seeds import derive_seed

if TYPE_CHECKING:
    from assay.project import Project

FEWEST = 40
"""Gold rows: fewer than 20 in each half neither teach nor judge."""
FIT_ROWS = 200
"""Rows without a label that each draft's annotators learn from: enough to compare two."""


@dataclass(frozen=True)
class JudgedDraft:
    """A draft, and what the gate said of it.

    Attributes
    ----------
    verdict
        On the judging half alone, against the task as it was when the draft's turn came.
    id
        The ledger's id of the verdict.
    """

    draft: Draft
    verdict: Verdict
    id: str


@dataclass(frozen=True)
class GuidelineResult:
    """What drafting came to.

    Attributes
    ----------
    task
        With the kept descriptions and rules; the task that was given where none was kept.
    drafts
        In the order they were judged.
    drafted_on, judged_on
        Gold rows that the drafts were made from, and the others, which judged them.
    alpha
        Level of the whole family of drafts, and of each: the first divided by their number.
    notes
        Drafts that could not be made, and why.
    """

    task: LabelTask
    drafts: tuple[JudgedDraft, ...]
    drafted_on: int
    judged_on: int
    alpha: tuple[float, float]
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[JudgedDraft, ...]:
        """The drafts that made labels more accurate."""
        return tuple(each for each in self.drafts if each.verdict.kept)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "task": self.task.model_dump(mode="json"),
            "drafts": [
                {
                    "name": each.draft.name,
                    "origin": each.draft.origin,
                    "descriptions": dict(each.draft.descriptions),
                    "rule": each.draft.rule,
                    "verdict": each.verdict.as_dict(),
                    "id": each.id,
                }
                for each in self.drafts
            ],
            "kept": [each.draft.name for each in self.kept],
            "drafted_on": self.drafted_on,
            "judged_on": self.judged_on,
            "alpha": {"family": self.alpha[0], "draft": self.alpha[1]},
            "notes": list(self.notes),
        }


def draft_guidelines(
    rows: Any,
    task: Any,
    gold: Any,
    *,
    model: str | None = None,
    project: Project | None = None,
    settings: LabelSettings | None = None,
    budget: Budget | None = None,
    models: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
    alpha: float = 0.05,
    min_effect: float = 0.0,
) -> GuidelineResult:
    """Draft clearer descriptions and edge-case rules; keep those that make labels more accurate.

    One half of gold is shown to the drafters: a rule that adds each class's telling words, and
    the language model, which reads the rows of that half that annotators got wrong. The other
    half judges. Annotators are fitted anew under each draft with the drafting half as gold, and
    asked about the judging half; the gain in accuracy is tested row by row. With m drafts each
    is tested at alpha / m (Bonferroni), since all are judged on the same rows.

    Parameters
    ----------
    rows
        Unlabelled rows, as for :func:`assay.label.label`; annotators learn from at most 200.
    task
        A labelling task of one class for each row.
    gold
        Checked rows, 40 or more.
    model
        Drafts; the first of the settings' models by default, which also labels.
    alpha
        Chance that any useless draft is kept.
    min_effect
        Smallest gain in accuracy worth having.

    Raises
    ------
    InputError
        When the task has another kind, or gold is too small.
    """
    settings = LabelSettings() if settings is None else settings
    settings = settings.model_copy(update={"student": "linear"})  # each draft is fitted anew
    read, task = read_rows(rows, LabelTask.of(task))
    if task.kind not in ("single", "ordinal"):
        raise InputError("Guidelines are drafted for labels of one class.", given=task.kind)
    checked = read_gold(gold, task, kind_of(task), read)
    if checked is None or len(checked) < FEWEST:
        raise InputError(
            "There are too few checked rows to draft from some and judge by the others.",
            given=0 if checked is None else len(checked),
            allowed=f"at least {FEWEST}",
            next_step="check more rows with assay review",
        )
    drafting, judging = halves(checked, settings.seed)
    texts = [each for row, each in enumerate(read.texts) if row not in read.why][:FIT_ROWS]
    with opened(project, budget=budget, models=models, progress=progress) as (gateway, run):
        judge = Judge(texts, drafting, judging, gateway, settings, run)
        return _judged(judge, task, model or settings.models[0], alpha, min_effect)


@dataclass(frozen=True)
class Judge:
    """Fits annotators under a task, and asks them about the judging half."""

    texts: list[str]
    drafting: Gold
    judging: Gold
    gateway: Gateway
    settings: LabelSettings
    run: str

    def fitted(self, task: LabelTask) -> Fitted:
        """Return annotators that learned from the drafting half."""
        kind = kind_of(task)
        return kind.fit(self.texts, self.drafting, task, self.gateway, self.settings)

    def right(self, fitted: Fitted) -> list[str]:
        """Return ``right`` or ``wrong`` for each row of the judging half."""
        labels = fitted.answer(self.judging.texts, self.gateway).labels
        pairs = zip(labels, self.judging.labels, strict=True)
        return ["right" if one == other else "wrong" for one, other in pairs]

    def misread(self, fitted: Fitted) -> list[Misread]:
        """Return the rows of the drafting half that annotators got wrong, held out."""
        checked = fitted.checked
        if checked is None:
            return []
        text_of = dict(zip(self.drafting.rows["row_id"], self.drafting.texts, strict=True))
        return [
            Misread(text_of[row], str(truth), str(label))
            for row, truth, label in zip(
                checked.row_ids, checked.truth, checked.labels, strict=True
            )
            if truth != label
        ]


def halves(gold: Gold, seed: int) -> tuple[Gold, Gold]:
    """Return the drafting half and the judging half, each class in both; copies stay together.

    Rows that were picked, not drawn, measure nothing: they draft, beside half of the others.
    """
    order = np.random.default_rng(derive_seed(seed, "halves")).permutation(len(gold))
    first: dict[str, list[int]] = {}
    for row in order.tolist():
        first.setdefault(gold.texts[row], []).append(row)
    groups = sorted(first.values(), key=lambda rows: str(gold.labels[rows[0]]))
    drawn = [rows for rows in groups if gold.weights is None or gold.weights[rows].all()]
    judges = {row for rows in drawn[1::2] for row in rows}
    drafting = [row for row in range(len(gold)) if row not in judges]
    judging = sorted(judges)
    return gold.only(drafting), gold.only(judging)


def _judged(
    judge: Judge, task: LabelTask, model: str, alpha: float, min_effect: float
) -> GuidelineResult:
    incumbent = judge.fitted(task)
    notes: list[str] = []
    misread = judge.misread(incumbent)
    drafts = list(_drafts(judge, task, misread, model, notes))
    each_alpha = alpha / max(len(drafts), 1)
    before, judged, first = judge.right(incumbent), [], task
    for draft in drafts:
        changed = draft.apply(task)
        if changed == task:
            continue
        after = judge.right(judge.fitted(changed))
        gain = compare(["right"] * len(after), before, after, classes=("right", "wrong"),
                       weights=judge.judging.weights, min_effect=min_effect)  # fmt: skip
        verdict = decide(gain, alpha=each_alpha, min_effect=min_effect)
        judged.append(JudgedDraft(draft, verdict, _recorded(judge, draft, verdict)))
        if verdict.kept:
            task, before = changed, after
    if not drafts and not misread:
        notes.append("annotators got every row of the drafting half right: nothing to clear up")
    return GuidelineResult(
        task if task != first else first, tuple(judged), len(judge.drafting),
        len(judge.judging), (alpha, each_alpha), tuple(notes),
    )  # fmt: skip


def _drafts(
    judge: Judge, task: LabelTask, misread: list[Misread], model: str, notes: list[str]
) -> Iterator[Draft]:
    """Yield drafts; a model that cannot draft leaves the rule's."""
    yield from drafts_by_rule(task, judge.drafting.texts, judge.drafting.labels)
    try:
        yield from drafts_by_model(task, misread, judge.gateway, model, notes)
    except AssayError as error:
        notes.append(f"{model} drafted nothing: {error}")


def _recorded(judge: Judge, draft: Draft, verdict: Verdict) -> str:
    ledger = judge.gateway.ledger
    proposal = ledger.record("proposal", {"source": "guidelines", **asdict(draft)}, run=judge.run)
    return ledger.record("verdict", {"proposal": proposal, **verdict.as_dict()}, run=judge.run)
