"""Synthetic rows that earn their place: made, sifted, tried in doses, and kept if they help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.errors import InputError
from assay.synth.result import SynthesisResult
from assay.synth.scarcity import MANY

if TYPE_CHECKING:
    from assay.llm import Budget
    from assay.project import Project

__all__ = ["SynthesisResult", "synthesize"]

DOSES = (0.5, 1.0, 2.0, 4.0)
WRITTEN_AT_MOST = 200
"""Rows that a language model writes unless more are asked for."""


def synthesize(
    project: Project,
    *,
    for_class: str | None = None,
    where: str | None = None,
    rows: int | None = None,
    method: str = "auto",
    model: str | None = None,
    doses: Sequence[float] | None = None,
    budget: Budget | None = None,
    models: Mapping[str, Any] | None = None,
    confirm: bool = True,
    many: bool = False,
    canaries: int = 0,
    release: bool = False,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> SynthesisResult:
    """Make rows where real ones are scarce, and keep them if they help on real held-out rows.

    ``recipe.toml`` changes only when the vault confirms.

    Parameters
    ----------
    project
        Where to work; see :meth:`assay.Project.open`.
    for_class
        The class. Without it and ``where``, rows are made where they are lacking: of a thin slice
        on which the newest diagnosis found the model to fail, else of the rarest class with at
        least five search rows, and of a regression as a whole.
    where
        Conditions on the columns, as in ``region = "north" and age > 40``: rows are made of this
        slice of the class alone, and without ``for_class`` of every class in it.
    rows
        Rows to make by each method; by default the largest dose of the class, or 200 of those
        that a language model writes if that is less; ``private`` needs it. Of written rows, only
        doses that there are rows for are tried.
    method
        ``auto`` asks no language model: ``edit`` and ``recombine`` for texts, ``smote``,
        ``forest`` and ``copula`` for tables. Or one of these, ``oversample``, ``private``, and by
        a model ``write``, ``paraphrase``, ``counterfactual``.
    model
        The language model; by default the project's model for labels.
    doses
        Made rows for each real one, each a proposal; above 0. By default 0.5, 1, 2, 4, and as
        many as bring the class to the size of the largest, where that is more; none that makes
        more than 20,000 rows.
    confirm
        Whether the vault is looked at, once, where a dose was kept.
    many
        Whether more than 20,000 rows are meant.
    canaries
        Made-up secrets planted in so many texts that a language model is shown when it writes half
        as many rows again from half of the real ones: how many does it repeat?
    release
        Whether the rows are to be released: what could not be, since no attack can tell what it
        gives away, is refused before any row is made.
    on_progress
        Told what is done, how far, of how much.

    Raises
    ------
    InputError
        When the class or a parameter is not usable, a column is called as one that tells where
        made rows come from, the class has fewer than five search rows or they are all the same, or
        more than 20,000 rows are asked for and not meant; or they are to be released and cannot be
        attacked.
    """
    from assay.recipe import narrowed
    from assay.synth.constraints import stated_constraints
    from assay.synth.lacking import chosen_scope
    from assay.synth.methods import asks_a_model, chosen_methods
    from assay.synth.private import PRIVATE, require_stated
    from assay.synth.record import Record
    from assay.synth.releasable import require_attackable, require_k
    from assay.synth.run import Synthesis
    from assay.synth.scarcity import MOST_DOSE, require_enough, up_to_balance
    from assay.synth.spec import PROVENANCE, require_free_names

    search, task = project.search(), project.task
    require_free_names(task, PROVENANCE)
    require_k(project.settings.synth, task)
    scope = chosen_scope(
        search, task, project.ledger(), for_class=for_class, where=where, method=method
    )
    class_name, predicate = scope.class_name, scope.where
    known = narrowed(search, task, class_name, predicate)
    own = require_enough(known, task, class_name, predicate)
    if doses is None:
        doses = up_to_balance(DOSES, known, task, class_name)
    wanted = tuple(sorted({float(each) for each in doses}))
    if not wanted or not all(0 < each <= MOST_DOSE for each in wanted):
        raise InputError("doses must be above 0 and at most 100.", given=list(doses))
    methods = chosen_methods(method, task, class_name)
    constraints = stated_constraints(project)
    if PRIVATE in methods:
        scoped = for_class is not None or where is not None
        require_stated(
            project.settings.synth, task, scoped=scoped, rows=rows, constraints=constraints
        )
        constraints = constraints or ()  # none are mined: they would tell of the rows
    if canaries < 0 or (canaries and (task.text is None or not asks_a_model(methods[0]))):
        raise InputError(
            "canaries are planted in texts that a language model is shown.",
            given=f"canaries {canaries}, method {methods[0]}",
            allowed="at least 1, with the method write, paraphrase or counterfactual",
            next_step="leave canaries out, or name such a method",
        )
    if release:
        require_attackable(project.settings.synth, task, methods[0], own.height, canaries)
    count = max(1, round(wanted[-1] * own.height)) if rows is None else rows
    if rows is None and asks_a_model(methods[0]):
        count = min(count, WRITTEN_AT_MOST)
    if count < 1:
        raise InputError("rows must be positive.", given=rows, allowed="at least 1")
    if count > MANY and not many:
        raise InputError(
            f"That is more than {MANY:,} rows.",
            given=f"{count:,}",
            next_step="ask for fewer, or say --yes (from Python many=True)",
        )
    name = model or project.settings.models.label
    beginning = {
        "class": class_name,
        "where": predicate.words if predicate.conditions else "",
        "rows": count,
        "methods": list(methods),
        "model": name if asks_a_model(methods[0]) else None,
        "doses": list(wanted),
        "canaries": canaries,
        "baseline": project.recipe.hash,
        "vault": project.vault().id,
        "seed": project.settings.seed,
    }
    with (
        Record.held(project.ledger(), beginning) as record,
        project.gateway(
            budget=project.settings.budget if budget is None else budget,
            run=record.id,
            models=models,
            progress=lambda seen: on_progress(seen.what, seen.done, seen.total),
            capability="synth",
        ) as gateway,
    ):
        return Synthesis(
            project=project,
            record=record,
            gateway=gateway,
            class_name=class_name,
            where=predicate,
            count=count,
            methods=methods,
            doses=wanted,
            model=name,
            tell=on_progress,
            look=confirm,
            canaries=canaries,
            constraints=constraints,
            lacking=tuple(each.words for each in scope.seen),
            too_few=scope.too_few,
        ).run()
