"""A synthesis from its beginning to its end: make, sift, judge, confirm, record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from assay.errors import VaultError
from assay.evidence import Confirmation
from assay.llm import Gateway
from assay.project import Project
from assay.project.building import confirm, question
from assay.recipe import Recipe, Tools, narrowed
from assay.seeds import derive_seed
from assay.synth.candidates import made_candidates
from assay.synth.constraints import Constraint
from assay.synth.curation import repeats_locked
from assay.synth.curation.curated import mined
from assay.synth.gate import Gate
from assay.synth.judging import Candidate
from assay.synth.made import Making, make, measured, samples
from assay.synth.measure.halves import Halves, rehearse
from assay.synth.methods import asks_a_model
from assay.synth.privacy import PrivacyReport, measure_privacy
from assay.synth.privacy.canaries import Canaries, plant
from assay.synth.record import Record
from assay.synth.result import Cost, Dose, SynthesisResult
from assay.synth.scarcity import require_enough
from assay.synth.spec import Order, rows_read, subject
from assay.synth.text import METHODS as TEXTUAL
from assay.synth.unmade import remedies
from assay.synth.written import shown_rows
from assay.tables.predicate import Predicate
from assay.task import Task

Tell = Callable[[str, int, int], None]


@dataclass
class Synthesis:
    """One synthesis in progress."""

    project: Project
    record: Record
    gateway: Gateway
    class_name: str | None
    where: Predicate
    count: int
    methods: Sequence[str]
    doses: Sequence[float]
    model: str
    tell: Tell
    look: bool = True
    canaries: int = 0
    constraints: Sequence[Constraint] | None = None
    lacking: tuple[str, ...] = ()
    too_few: tuple[str, ...] = ()

    def run(self) -> SynthesisResult:
        """Make, sift, judge, confirm once, record."""
        began, project = time.monotonic(), self.project
        rows, task = project.search(), project.task
        known = narrowed(rows, task, self.class_name, self.where)
        own = require_enough(known, task, self.class_name, self.where)
        seed = derive_seed(project.settings.seed, "synth", self.record.id)
        held = mined(known, task) if self.constraints is None else self.constraints
        order = Order(task, known, self.class_name, self.count, seed, self.where, held)
        makings = [self._made(order, method) for method in self.methods]
        tools = Tools.of(self.record.ledger, self.gateway)
        candidates = [*self._written(makings, own.height), *self._made_in_folds(makings)]
        if candidates:
            candidates += remedies(project.recipe, task)
        of = subject(self.class_name, self.where)
        gate = Gate(project, self.record, rows, own, of, tools, seed)
        judgement = gate.judge(candidates, lambda done, all_: self.tell("fits", done, all_))
        chosen, recipe = judgement.chosen, judgement.recipe
        notes = [*self.too_few, *_kept_beside(makings, task)]
        confirmed = self._confirmed(recipe, tools, notes) if chosen is not None else None
        if chosen is not None and confirmed is not None:
            kept = (each.rows for each in makings if each.batch.method == chosen.method)
            notes += [told for rows in kept for told in repeats_locked(rows, project.vault())]
        if not candidates:
            least = max(1, round(self.doses[0] * own.height))
            passed = sum(each.rows.height for each in makings)
            notes.append(
                f"{passed} made rows passed the filters and the smallest dose takes {least}, "
                "so nothing was tried: make more of them, or by another method or model"
            )
        taken = _taken(makings, chosen)
        made, method = taken.rows, taken.batch.method
        artefact = self.record.ledger.put_table(made, name="synthetic.parquet", run=self.record.id)
        facts, numbers = measured(made, order)
        halves = self._halves(order, method, tools, notes) if self._rehearses(method) else None
        spend = self.gateway.spend
        result = SynthesisResult(
            project=project.path.name,
            run=self.record.id,
            task=task,
            seed=project.settings.seed,
            class_name=self.class_name,
            where=self.where.words if self.where.conditions else "",
            real_rows=own.height,
            batches=tuple(each.batch for each in makings),
            taken=method,
            doses=judgement.doses,
            chosen=chosen,
            recipe=recipe,
            confirmed=confirmed,
            advice=judgement.advice,
            facts=tuple(self.record.evidence(each) for each in facts),
            numbers=numbers,
            samples=samples(made, order),
            artefact=artefact,
            constraints=tuple(str(each) for each in held),
            lacking=self.lacking,
            cost=Cost(spend.money, spend.calls, spend.tokens, round(time.monotonic() - began, 3)),
            notes=tuple(notes),
            privacy=self._privacy(made, order, halves),
            rehearsed=None if halves is None else method,
            utility=None if halves is None else halves.utility,
        )
        if result.helped:
            project.save_recipe(recipe)
        self.record.end(result.to_json(), recipe, name="synthesis.json")
        return result

    def _rehearses(self, method: str) -> bool:
        """Whether an attack can tell of the method: of a writer where canaries are planted for it.

        Of copies it tells nothing.
        """
        return self.canaries > 0 if asks_a_model(method) else method != "oversample"

    def _halves(self, order: Order, method: str, tools: Tools, notes: list[str]) -> Halves | None:
        self.tell("measuring on halves", 0, 1)

        def planted(half: Order) -> tuple[pl.DataFrame, Canaries]:
            shown = shown_rows(half, method)  # type: ignore[arg-type]
            seed = derive_seed(half.seed, "canaries")
            return plant(half.rows, half.task, shown, self.canaries, seed)

        def made(half: Order) -> pl.DataFrame:
            making = self._made(half, method)
            if self.canaries and making.batch.stopped:
                notes.append(f"not all canaries were shown: {making.batch.stopped}")
            return making.rows

        found = rehearse(
            order, made, self.project.recipe, tools, planted=planted if self.canaries else None
        )
        if self.canaries and found is None:
            notes.append("canaries tell nothing: a half of the class is small, or gave no row")
        return found

    def _privacy(
        self, made: pl.DataFrame, order: Order, halves: Halves | None
    ) -> PrivacyReport | None:
        """Return what the made rows repeat, and how attacks on rows made alike fare."""
        if made.is_empty():
            return None
        named = self.project.settings.synth.quasi_identifiers
        told = measure_privacy(
            made, rows_read(made, order), order.task, quasi_identifiers=named, seed=order.seed
        )
        if halves is None:
            return told
        return replace(told, attacks=halves.privacy.attacks, notes=halves.privacy.notes)

    def _made(self, order: Order, method: str) -> Making:
        return make(
            order,
            method,
            model=self.model,
            gateway=self.gateway,
            settings=self.project.settings.synth,
            step=lambda done, total: self.tell(f"rows by {method}", done, total),
        )

    def _made_in_folds(self, makings: Sequence[Making]) -> Iterator[Candidate]:
        """Return every dose of the methods without a model that gave rows, to be made anew."""
        methods = [each.batch.method for each in makings if each.rows.height]
        return made_candidates(
            [each for each in methods if not asks_a_model(each)],
            self.doses,
            class_name=self.class_name,
            where=self.where,
            settings=self.project.settings.synth,
            constraints=self.constraints,
        )

    def _written(self, makings: Sequence[Making], real: int) -> Iterator[Candidate]:
        """Yield each dose that a model wrote enough rows for.

        They are an artefact: too dear to write for each fold, they stay out of any that judges a
        row their writer was shown.
        """
        for making in makings:
            method = making.batch.method
            for dose in self.doses if asks_a_model(method) else ():
                wanted = round(dose * real)
                if 0 < wanted <= making.rows.height:
                    artefact = self.record.ledger.put_table(
                        making.rows.head(wanted),
                        name=f"{method}-x{dose:g}.parquet",
                        run=self.record.id,
                    )
                    yield Candidate(method, dose, self.model, partial(with_extra, artefact))

    def _confirmed(self, recipe: Recipe, tools: Tools, notes: list[str]) -> Confirmation | None:
        """Look at the vault once, where a look is left."""
        before = self.project.recipe
        vault = self.project.vault()
        if not self.look:
            notes.append("the vault was not looked at, so the recipe stays as it was")
            return None
        asked = question(before, recipe, self.project.task.metric)
        if vault.looks_left == 0 and not vault.is_answered(asked):
            notes.append("every look at the vault is spent: assay vault renew DATA locks new rows")
            return None
        self.tell("confirming", 0, 1)
        try:
            return confirm(self.project, before, recipe, tools=tools, run=self.record.id)
        except VaultError as error:
            notes.append(str(error))
            return None


def _taken(makings: Sequence[Making], kept: Dose | None) -> Making:
    """Return the making whose rows are measured, attacked and released.

    It is the kept method's, or else the first that gave rows.
    """
    given = [each for each in makings if each.rows.height] or makings
    of_kept = (each for each in given if kept is not None and each.batch.method == kept.method)
    return next(of_kept, given[0])


def _kept_beside(makings: Sequence[Making], task: Task) -> Iterator[str]:
    """Yield a warning where a text changes and the columns beside it do not."""
    beside = [name for name in task.features if name != task.text]
    methods = [each.batch.method for each in makings if each.batch.method in TEXTUAL]
    if beside and methods:
        yield (
            f"made by {' and '.join(methods)}, {', '.join(beside)} are those of a real row in "
            "every made one, in what is released too"
        )


def with_extra(artefact: str, recipe: Recipe) -> Recipe:
    """Return ``recipe`` with the rows of an artefact beside its own."""
    rows = recipe.rows.model_copy(update={"extra": (*recipe.rows.extra, artefact)})
    return recipe.model_copy(update={"rows": rows})
