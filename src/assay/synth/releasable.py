"""Whether made rows may leave: which limits they exceed, and whether an attack can tell."""

from __future__ import annotations

from typing import Literal

import polars as pl

from assay.errors import InputError
from assay.project import Project
from assay.project.settings import Synth
from assay.synth.curation import NoCopies
from assay.synth.curation.copies import REPEATS_REAL
from assay.synth.measure.halves import FEWEST
from assay.synth.methods import asks_a_model
from assay.synth.privacy import PrivacyLimits, k_anonymity
from assay.synth.privacy.texts import MEMBERSHIP
from assay.synth.private import PRIVATE
from assay.synth.result import SynthesisResult
from assay.synth.spec import WHY, Order
from assay.task import Task


def require_private(table: pl.DataFrame, result: SynthesisResult, project: Project) -> None:
    """Refuse rows that give real ones away, or of which no attack could tell.

    Raises
    ------
    InputError
        When they exceed a limit of ``settings.synth``, and which; or one of its limits on attacks
        is below 1 and no attack could be made.
    """
    settings, task = project.settings.synth, result.task
    require_k(settings, task)
    named = settings.quasi_identifiers
    if named and (k := k_anonymity(table, named)) < settings.k:
        raise InputError(
            "The made rows are not released: too few of them share the columns that name a person.",
            given=f"k-anonymity {k} of {', '.join(named)}",
            allowed=f"k = {settings.k} under settings.synth in assay.toml",
            next_step="make more rows, or lower k",
        )
    if result.taken == PRIVATE:
        return  # a refusal that looks at real rows would itself tell of them
    others = [each.method for each in result.batches if each.kept and each.method != result.taken]
    by = f" ({', '.join(others)})" if others else ""
    next_step = f"make them by another method{by}, or raise the limit"
    copies = _copies(table, result, project)
    if copies > settings.copies:
        raise InputError(
            "The made rows are not released: they exceed the limit on copies of real rows.",
            given=f"{copies:.1%} copies",
            allowed=f"copies = {settings.copies:g} under settings.synth in assay.toml",
            next_step=next_step,
        )
    exceeded = (
        () if result.privacy is None else result.privacy.exceeded(release_limits(settings, task))
    )
    if exceeded:
        raise InputError(
            "The made rows are not released: they give away too much of the real ones.",
            given="; ".join(exceeded),
            allowed="what settings.synth in assay.toml says of runs, close, risk and membership",
            next_step=next_step,
        )
    if _wants_attack(settings, task, result.taken) and not _attacked(result):
        raise _not_attacked(task, result.taken, result.real_rows)


def require_k(settings: Synth, task: Task) -> None:
    """Refuse a ``k`` that cannot be held.

    Raises
    ------
    InputError
        When a quasi-identifier is none of the inputs, or ``k`` is asked for and none is named.
    """
    named = settings.quasi_identifiers
    unknown = [name for name in named if name not in task.inputs]
    if unknown:
        raise InputError(
            "quasi_identifiers names a column that is none of the inputs.",
            given=unknown[0],
            allowed=", ".join(task.inputs),
            next_step="mend quasi_identifiers under settings.synth in assay.toml",
        )
    if settings.k > 1 and not named:
        raise InputError(
            "k asks for rows that share columns, and no column is named.",
            given=f"k = {settings.k}",
            allowed="k with quasi_identifiers, the columns by which a person could be known",
            next_step="say quasi_identifiers = [COLUMN, ...] under settings.synth in assay.toml",
        )


def require_attackable(
    settings: Synth, task: Task, method: str, real_rows: int, canaries: int
) -> None:
    """Refuse, before any row is made, what :func:`require_private` would for want of an attack.

    Parameters
    ----------
    real_rows
        Those that rows are made from.
    """
    if method == PRIVATE or not _wants_attack(settings, task, method):
        return
    unplanted = asks_a_model(method) and not canaries
    if unplanted or real_rows < 2 * FEWEST:
        raise _not_attacked(task, method, real_rows)


def release_limits(settings: Synth, task: Task) -> PrivacyLimits:
    """Return the limits of a release; how close rows may be holds for tables alone.

    An edited text is made of a real one, so it is close to it by intent.
    """
    return PrivacyLimits(
        copies=settings.copies,
        runs=settings.runs,
        close=settings.close if task.text is None else 1.0,
        risk=settings.risk,
        membership=settings.membership,
    )


def _copies(table: pl.DataFrame, result: SynthesisResult, project: Project) -> float:
    order = Order(result.task, project.search(), result.class_name, table.height, result.seed)
    reasons = NoCopies().sift(table, order).dropped[WHY]
    return float((reasons == REPEATS_REAL).sum()) / table.height


def _limit(task: Task, method: str) -> Literal["risk", "membership"]:
    """Return which limit holds for attacks on the method's rows: ``risk`` is for canaries too."""
    return "risk" if task.text is None or asks_a_model(method) else "membership"


def _wants_attack(settings: Synth, task: Task, method: str) -> bool:
    return float(getattr(settings, _limit(task, method))) < 1


def _attacked(result: SynthesisResult) -> bool:
    of_members = _limit(result.task, result.taken) == "membership"
    attacks = () if result.privacy is None else result.privacy.attacks
    return any(each.name.startswith(MEMBERSHIP) == of_members for each in attacks)


def _not_attacked(task: Task, method: str, real_rows: int) -> InputError:
    rows, limit = f"{FEWEST} real rows in each of two halves", _limit(task, method)
    accept = f"set {limit} = 1 under settings.synth in assay.toml to release rows not attacked"
    if not asks_a_model(method):
        allowed, next_step = rows, f"label more, or {accept}"
    elif task.text is None:
        allowed, next_step = "a method that asks no model", f"choose one, or {accept}"
    else:
        allowed, next_step = f"planted canaries, and {rows}", f"say --canaries 20, or {accept}"
    return InputError(
        "The made rows are not released: no attack could tell what they give away.",
        given=f"method {method}, {real_rows} real rows",
        allowed=allowed,
        next_step=next_step,
    )
