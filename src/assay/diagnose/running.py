"""A diagnosis from its case to its last plot: examined, explained, ranked, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.diagnose import MOST_ROWS
from assay.diagnose.case import Case
from assay.diagnose.harness import Examination, Step, examined
from assay.diagnose.losses import loss_words
from assay.diagnose.mixture import MOST_EMBEDDED
from assay.diagnose.pictures.measure import Embed, on_map, pictures
from assay.diagnose.sampling import drawn
from assay.diagnose.spec import Detector, Diagnosis
from assay.diagnose.strategies.ranking import odds_by_kind, strategies
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.diagnose.answers import Ask
    from assay.diagnose.explain.asked import Consent
    from assay.llm import Gateway
    from assay.project import Project


@dataclass(frozen=True)
class Wanted:
    """What a diagnosis is to be; see :func:`assay.diagnose.diagnose`."""

    detectors: Sequence[Detector] | None = None
    fdr: float = 0.05
    min_effect: float | None = None
    most_rows: int = MOST_ROWS
    step: Step | None = None
    explain: str | None = None
    consent: Consent | None = None
    embed: str | None = None
    keep_going: bool = False


def examined_case(case: Case, wanted: Wanted, embed: Embed | None = None) -> Examination:
    """Return what all detectors find in a case, at most ``most_rows`` of it.

    Parameters
    ----------
    embed
        Texts to (n, d) vectors, of at most 20,000.
    """
    from assay.diagnose.detectors import registered_detectors

    if not 0 < wanted.fdr < 1:
        raise InputError("fdr must be a share.", given=wanted.fdr, allowed="between 0 and 1")
    read, sampling = drawn(case, wanted.most_rows)
    if embed is not None and read.texts and read.n <= MOST_EMBEDDED:
        read = replace(read, meaning=np.asarray(embed(read.texts), dtype=np.float64))
    return examined(
        read,
        registered_detectors() if wanted.detectors is None else wanted.detectors,
        loss=loss_words(case.task, probabilities=case.probabilities is not None),
        fdr=wanted.fdr,
        min_effect=wanted.min_effect,
        sampling=sampling,
        step=wanted.step,
        keep_going=wanted.keep_going,
    )


def of_case(case: Case, wanted: Wanted, models: Any) -> Diagnosis:
    """Return the diagnosis of rows that no project holds."""
    if wanted.explain is None and wanted.embed is None:
        return _finished(examined_case(case, wanted).diagnosis, case)
    from assay.diagnose.explain.asking import check_model, without_project
    from assay.diagnose.models import case_answers

    with without_project(models) as gateway:
        if wanted.explain is not None:
            check_model(gateway, wanted.explain)
        embed = _embedding(gateway, wanted, case)
        examination = examined_case(case, wanted, embed)
        found = _explained(examination, gateway, wanted, case_answers(case))
        return _finished(found, case, embed)


def _finished(found: Diagnosis, case: Case, embed: Embed | None = None) -> Diagnosis:
    return replace(found, strategies=strategies(found), pictures=pictures(case, embed=embed))


def of_project(project: Project, wanted: Wanted, models: Any, named: dict[str, Any]) -> Diagnosis:
    """Return the diagnosis of a project's recipe, kept in its ledger.

    Parameters
    ----------
    named
        Columns that the case is told of: ``protected`` and ``annotator``.
    """
    from assay.diagnose.explain.asking import check_model
    from assay.diagnose.projects import project_case, recipe_answers, recipe_embedding
    from assay.diagnose.record import Record, save
    from assay.tables import require_column

    search = project.search()
    for name in named["protected"]:
        require_column(search, name, "protected")
    require_column(search, named["annotator"], "annotator")
    beginning = {"recipe": project.recipe.hash, "seed": project.settings.seed}
    record = Record.open(project.ledger(), beginning)
    with project.gateway(run=record.id, models=models, capability="diagnose") as gateway:
        if wanted.explain is not None:
            check_model(gateway, wanted.explain)
        case = replace(project_case(project, gateway), **named)
        embed = _embedding(gateway, wanted, case) or recipe_embedding(project, gateway)
        examination = examined_case(case, wanted, embed)
        ask = recipe_answers(project, gateway)
        found = _explained(examination, gateway, wanted, ask, project.settings.privacy.columns)
        shown = pictures(case, embed=embed)
    ranked = strategies(found, project.task, odds=odds_by_kind(project.ledger()))
    return save(project, record, replace(found, strategies=ranked, pictures=shown))


def _embedding(gateway: Gateway, wanted: Wanted, case: Case) -> Embed | None:
    """Return how the wanted model embeds texts; None where none is wanted, or without consent."""
    model, text = wanted.embed, case.task.text
    if model is None:
        return None
    if text is None:
        raise InputError("embed needs a text column.", given=model)
    if wanted.consent is not None:
        texts = _to_embed(case, wanted.most_rows)
        if not wanted.consent(gateway.estimate_embedding(model, texts, columns=(text,))):
            return None
    return partial(gateway.embed, model, columns=(text,))


def _to_embed(case: Case, most_rows: int) -> list[str]:
    """Return the texts that a diagnosis has embedded: what it reads, and the points of its map."""
    read, _ = drawn(case, most_rows)
    every = [*(read.texts if read.n <= MOST_EMBEDDED else ()), *on_map(case).texts]
    return list(dict.fromkeys(every))  # each is asked for once


def _explained(
    examination: Examination,
    gateway: Gateway,
    wanted: Wanted,
    ask: Ask | None,
    withheld: Sequence[str] = (),
) -> Diagnosis:
    from assay.diagnose.explain.asking import explain

    if wanted.explain is None or examination.diagnosis.stopped:
        return examination.diagnosis
    told = explain(
        examination, gateway, wanted.explain, consent=wanted.consent, withheld=withheld, ask=ask
    )
    return replace(examination.diagnosis, explained=told)
