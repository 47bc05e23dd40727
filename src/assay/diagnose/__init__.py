"""Where a model fails, by how much, and what could be done about it: nothing unconfirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from assay.callable_module import make_callable

if TYPE_CHECKING:
    from assay.diagnose.case import Case
    from assay.diagnose.explain.asked import Consent
    from assay.diagnose.harness import Step
    from assay.diagnose.planting import SelfCheck
    from assay.diagnose.spec import Detector, Diagnosis
    from assay.task import Kind

MOST_ROWS = 200_000
"""Rows that are read; of more, as many are drawn."""

__all__ = ["MOST_ROWS", "diagnose", "diagnose_case", "plant"]


def diagnose(
    subject: Any,
    *,
    truth: str | None = None,
    predictions: Any = None,
    probabilities: Any = None,
    model: Any = None,
    text: str | None = None,
    kind: Kind | None = None,
    group: str | None = None,
    weight: str | None = None,
    time: str | None = None,
    training: Any = None,
    protected: Sequence[str] = (),
    annotator: str | None = None,
    detectors: Sequence[Detector] | None = None,
    fdr: float = 0.05,
    min_effect: float | None = None,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
    models: Any = None,
    explain: str | None = None,
    consent: Consent | None = None,
    embed: str | None = None,
    step: Step | None = None,
) -> Diagnosis:
    """Find where a model fails, on one half of the rows, and confirm it on the other.

    Parameters
    ----------
    subject
        A project, whose recipe is judged out of fold on its search rows and whose ledger keeps
        the diagnosis; or rows as any kind of table, with their true values and either
        predictions or a model.
    truth
        The column of the true values; required with rows.
    predictions
        A column's name or (n,) values; by default the column ``prediction``, or the likeliest
        class.
    probabilities
        (n, k) in the order of the sorted classes; by default the columns ``probability:CLASS``.
    model
        An object with ``predict``, or a callable of rows, in place of predictions.
    text, kind
        What the user knows of the task; found where None.
    group
        Rows that share its value fall into one half and count as one.
    weight
        The column of how much each row counts.
    time
        The column that says when each row is from; a project has its own.
    training
        The rows that the model was fitted on.
    protected
        Columns whose groups the model must treat alike.
    annotator
        The column that names who labelled each row.
    detectors
        By default all that are registered.
    fdr
        Expected share of false findings that is allowed.
    min_effect
        Smallest excess of loss worth telling; by default a tenth of the mean loss.
    most_rows
        Of more rows so many are drawn; the diagnosis says what that can miss.
    seed
        Of the halves; a project has its own.
    models
        Language models by name, in place of the ones that the names stand for.
    explain
        The language model, ``provider:model``, that states hypotheses on why the rows of a
        finding fail; they are tested on rows that it does not see.
    consent
        Told what asking it, or embedding texts, would take, before anything is sent; whether to.
    embed
        The model, ``provider:model``, whose sentence embeddings (of at most 20,000 texts) tell
        which texts mean alike; by default a project's recipe's own, and of rows none.
    step
        Told what is being looked for, how many detectors are done, and of how many.

    Raises
    ------
    InputError
        When the rows, the true values or the predictions are not usable.
    """
    from assay.diagnose.running import Wanted, of_case, of_project
    from assay.project import Project

    wanted = Wanted(
        detectors, fdr, min_effect, most_rows, step, explain=explain, consent=consent, embed=embed,
        keep_going=True,
    )  # fmt: skip
    if isinstance(subject, Project):
        named = {"protected": tuple(protected), "annotator": annotator}
        return of_project(subject, wanted, models, named)
    from assay.diagnose.given import read_case

    case = read_case(
        subject,
        truth=truth,
        predictions=predictions,
        probabilities=probabilities,
        model=model,
        text=text,
        kind=kind,
        group=group,
        weight=weight,
        time=time,
        training=training,
        protected=protected,
        annotator=annotator,
        seed=seed,
    )
    return of_case(case, wanted, models)


def diagnose_case(case: Case, **options: Any) -> Diagnosis:
    """Diagnose a case that was made already; the parameters are those of :func:`diagnose`.

    Nothing is asked of a language model, and no plot is drawn. Ctrl-C ends it.
    """
    from assay.diagnose.running import Wanted, examined_case

    return examined_case(case, Wanted(**options)).diagnosis.whole()


def plant(
    subject: Any,
    *,
    repeats: int | None = None,
    seed: int = 0,
    models: Any = None,
    step: Step | None = None,
    **options: Any,
) -> SelfCheck:
    """Plant known faults in the rows and count which are found: how far to trust a diagnosis.

    Ctrl-C ends it, and keeps what was counted until then.

    Parameters
    ----------
    subject, options
        As for :func:`diagnose`: what rows are read, not how they are searched.
    repeats
        Tries for each fault and strength; ten by default.
    """
    from assay.diagnose.planting import REPEATS, self_check
    from assay.project import Project

    if isinstance(subject, Project):
        from assay.diagnose.projects import project_case

        with subject.gateway(models=models, capability="diagnose") as gateway:
            case = project_case(subject, gateway)
    else:
        from assay.diagnose.given import read_case

        case = read_case(subject, seed=seed, **options)
    return self_check(case, repeats=REPEATS if repeats is None else repeats, seed=seed, step=step)


make_callable(__name__)
