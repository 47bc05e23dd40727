"""Questions about machine-learning work, answered by code that was run before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assay.ask.spec import Answer, Library, Snippet, Trial
from assay.callable_module import make_callable

if TYPE_CHECKING:
    from assay.ask.given import Given
    from assay.llm import Gateway
    from assay.llm.caches import Cache
    from assay.project import Project

__all__ = ["Answer", "Library", "Snippet", "Trial", "ask"]

EMBED_MODEL = "local:minilm"
NEAR = 0.3
"""Least similarity of a question and a recipe that answers it."""
MAX_QUESTION = 2000
OTHERS = 3


def ask(
    question: str,
    *,
    project: Project | None = None,
    model: str | None = None,
    models: Mapping[str, Any] | None = None,
    take: int = 1,
    offline: bool = False,
) -> Answer:
    """Answer a question with a snippet that ran in the sandbox and kept its promise.

    Parameters
    ----------
    question
        For example ``how do I split so that no customer is on both sides?``
    project
        Its search rows are what the snippet is tried on. Without one, or where they lack what
        the snippet needs, it is tried on made-up rows, and the answer says so.
    model
        Who writes the snippet; what fails is given back with its error at most twice. By default
        nobody: the nearest recipe of a book of tested ones is taken.
    models
        Models by name, in place of the ones that the names stand for.
    take
        Which of the nearest recipes: 1 the nearest, up to 4.
    offline
        Whether to leave the package index unasked.

    Raises
    ------
    InputError
        When the question is empty or longer than 2,000 characters, or ``take`` not 1 to 4.
    ModelError
        When the model cannot be reached.
    """
    from assay.errors import InputError
    from assay.llm.registry import EMBEDDED

    question = question.strip()
    if not 0 < len(question) <= MAX_QUESTION:
        raise InputError(
            "The question must have between 1 and 2,000 characters.", given=len(question)
        )
    if not 1 <= take <= 1 + OTHERS:
        raise InputError("`take` names one of the nearest recipes.", given=take, allowed="1 to 4")
    near = _nearest(question, models)
    if model is None or model == EMBEDDED:
        return _from_book(question, near, project, take=take, offline=offline)
    return _from_model(question, near, project, model, models, offline=offline)


def _from_book(
    question: str,
    near: Sequence[tuple[Snippet, float]],
    project: Project | None,
    *,
    take: int,
    offline: bool,
) -> Answer:
    from assay.ask.trying import try_snippet

    titles = tuple(each.title for each, _ in near)
    best, similarity = near[take - 1]
    if near[0][1] < NEAR:
        return Answer(question, None, None, similarity=near[0][1], others=titles)
    others = tuple(each for each in titles if each != best.title)
    trial = try_snippet(best, _given(project, best))
    libraries = _libraries(best, offline=offline)
    return Answer(question, best, trial, libraries, similarity=similarity, others=others)


def _from_model(
    question: str,
    near: Sequence[tuple[Snippet, float]],
    project: Project | None,
    model: str,
    models: Mapping[str, Any] | None,
    *,
    offline: bool,
) -> Answer:
    from assay.ask.given import made_up, rows_of
    from assay.ask.writing import SHOWN_RECIPES, write_snippet

    shown = [each for each, _ in near[:SHOWN_RECIPES]]
    with _door(project, models) as gateway:
        if project is None:
            given = made_up()
        else:
            hidden = () if gateway.is_here(model) else project.settings.privacy.columns
            given = rows_of(project, without=hidden)
        snippet, trial, attempts = write_snippet(gateway, model, question, shown, given)
    libraries = () if snippet is None else _libraries(snippet, offline=offline)
    titles = tuple(each.title for each in shown)
    return Answer(question, snippet, trial, libraries, attempts, others=titles)


def _nearest(question: str, models: Mapping[str, Any] | None) -> list[tuple[Snippet, float]]:
    """Return the nearest recipes; the embeddings of the book are kept among the user's caches."""
    from assay.ask.shelf import nearest, recipe_book
    from assay.llm.caches import Cache

    cache = Cache(shared=EMBED_MODEL not in (models or {}))
    with _door(None, models, cache) as gateway:
        return nearest(gateway, EMBED_MODEL, question, recipe_book(), 1 + OTHERS)


def _given(project: Project | None, snippet: Snippet) -> Given:
    from assay.ask.given import made_up, rows_of

    if project is not None:
        given = rows_of(project)
        if not given.lacks(snippet.needs):
            return given
    return made_up(snippet.needs)


def _libraries(snippet: Snippet, *, offline: bool) -> tuple[Library, ...]:
    from assay.ask.index import check_libraries, distribution_of
    from assay.ask.trying import modules_of

    try:
        modules = modules_of(snippet.code)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    names = list(dict.fromkeys(distribution_of(each) for each in modules))
    return check_libraries(names, offline=offline)


@contextmanager
def _door(
    project: Project | None, models: Mapping[str, Any] | None, cache: Cache | None = None
) -> Iterator[Gateway]:
    """Yield the project's gateway; without a project, one whose record is thrown away."""
    import tempfile
    from pathlib import Path

    from assay.ledger import Ledger
    from assay.llm import Gateway

    if project is not None:
        with project.gateway(models=models, capability="ask") as gateway:
            yield gateway
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
        Gateway(ledger, models=models, capability="ask", cache=cache) as gateway,
    ):
        yield gateway


make_callable(__name__)
