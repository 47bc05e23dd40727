"""The dry run: what a run would ask, from the real prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from assay.errors import AssayError, LedgerError
from assay.improve.account import asks_elsewhere, is_elsewhere
from assay.improve.observe import observe
from assay.improve.sources import registered_sources
from assay.ledger import Ledger
from assay.llm.forecast import Forecast
from assay.llm.rehearsal import Rehearsal
from assay.project import Project
from assay.recipe import Embedding, ProposalSource, Recipe, Tools
from assay.recipe.features import embedded, read_texts
from assay.recipe.trial import prepare
from assay.scratch import Scratch


def rehearse(
    project: Project,
    *,
    sources: Sequence[ProposalSource] | None = None,
    models: Mapping[str, Any] | None = None,
    batch: bool = False,
) -> Forecast:
    """Return what :func:`assay.improve.improve` would ask of models; nothing is sent or recorded.

    Every source is run against a gateway that only notes. What a source would ask after it has
    read an answer is not known, so where answers lead to further questions it is a lower bound.
    Embedding the vault's rows is estimated from the search rows.

    Parameters
    ----------
    sources, models, batch
        As for :func:`assay.improve.improve`.
    """
    sources = registered_sources() if sources is None else sources
    with (
        Scratch("rehearsal") as folder,
        Ledger.open(folder / "ledger.sqlite") as scratch,
        project.rehearsal(models=models, batch=batch) as gateway,
    ):
        found = _Rehearsing(project, gateway, scratch)
        for source in sources:
            found.ask(source)
        found.confirm()
    return Forecast(tuple(each for each in gateway.noted if each.rows), tuple(found.refused))


def rehearse_judging(
    project: Project, *, models: Mapping[str, Any] | None = None
) -> Forecast | None:
    """Return what models elsewhere must answer before the recipe can be judged; nothing is sent.

    None where every answer is known, or comes from this machine.
    """
    if not asks_elsewhere(project):
        return None
    with project.rehearsal(models=models) as gateway:
        prepare([project.recipe], project.search(), Tools.of(project.ledger(), gateway))
    asked = tuple(each for each in gateway.noted if each.requests and is_elsewhere(each.model))
    return Forecast(asked) if asked else None


def rehearse_prediction(
    project: Project, rows: pl.DataFrame, *, models: Mapping[str, Any] | None = None
) -> Forecast:
    """Return what :func:`assay.improve.predict.predict_table` would ask; nothing is sent."""
    recipe = project.recipe
    added = [feature for each in recipe.rows.added for feature in each.features]
    with project.rehearsal(models=models) as gateway:
        tools = Tools.of(project.ledger(), gateway)
        prepare([recipe], project.search(), tools)
        for feature in dict.fromkeys([*recipe.all_features, *added]):
            if isinstance(feature, Embedding):
                embedded(rows, feature, tools)
    return Forecast(tuple(each for each in gateway.noted if each.rows))


class _Rehearsing:
    """One rehearsal. ``recipes`` are all that a run may build."""

    def __init__(self, project: Project, gateway: Rehearsal, scratch: Ledger) -> None:
        self.refused: list[str] = []
        self._project = project
        self._gateway = gateway
        self._scratch = scratch
        self._search = project.search()
        self._pool = project.pool()
        self._recipes: list[Recipe] = [project.recipe]
        self._tools = Tools(_reading(scratch, project.ledger()), gateway.embed)

    def ask(self, source: ProposalSource) -> None:
        """Run a source, and embed what its proposals read."""
        seen = observe(
            self._project,
            source,
            self._recipes[0],
            search=self._search,
            pool=self._pool,
            gateway=self._gateway,
            ledger=self._scratch,
        )
        with self._passing_over(source.name):
            for proposal in source.propose(seen):
                with self._passing_over(proposal.name):
                    recipe = proposal.apply(self._recipes[0])
                    prepare([recipe], self._search, self._tools)
                    self._recipes.append(recipe)

    def confirm(self) -> None:
        """Count the vault's rows for every embedding that any recipe reads."""
        read = {
            feature
            for recipe in self._recipes
            for feature in recipe.all_features
            if isinstance(feature, Embedding)
        }
        share = self._project.vault().n / max(self._search.height, 1)
        for feature in sorted(read, key=lambda each: (each.model, each.column)):
            with self._passing_over(f"the vault's {feature.column}"):
                shown = read_texts(self._search, feature)
                self._gateway.embed_like(feature.model, shown, share, columns=(feature.column,))

    @contextmanager
    def _passing_over(self, name: str) -> Iterator[None]:
        try:
            yield
        except AssayError as error:
            self.refused.append(f"{name}: {error}")


def _reading(scratch: Ledger, ledger: Ledger) -> Callable[[str], pl.DataFrame]:
    def read(artefact: str) -> pl.DataFrame:
        try:
            return scratch.read_table(artefact)
        except LedgerError:
            return ledger.read_table(artefact)

    return read
