"""The search as a source of proposals for ``assay improve``."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator

from assay.engine import worker_count
from assay.experiment.leaks import leaks
from assay.experiment.order import default_entrants, without_columns
from assay.experiment.search.blending import blended
from assay.experiment.search.carrying import with_rows_of
from assay.experiment.search.choosing import Choice, choose
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.contest import Contest
from assay.experiment.search.entrant import Entrant
from assay.experiment.search.families import families_for, imports_for
from assay.experiment.search.halving import stages
from assay.experiment.search.jobs import Context
from assay.experiment.search.memory import allowed_bytes
from assay.experiment.search.pool import Limits
from assay.experiment.search.processes import working
from assay.experiment.search.scoring import Scorer
from assay.experiment.search.tuner import Tuner
from assay.recipe import Observation, Proposal, Recipe, Tools, recipe_to_toml, splits
from assay.recipe.splits import FOLDS
from assay.recipe.text import recipe_from_toml
from assay.recipe.trial import prepare
from assay.tables import fingerprint

NAME = "search"


def _in_place_by(found: Recipe) -> Callable[[Recipe], Recipe]:
    """Return the edit that keeps the rows, and takes how they are thinned and all else."""
    return lambda before: with_rows_of(before, found)


class SearchSource:
    """Searches for a better recipe and proposes what it found; the loop judges it.

    It is not registered, since it takes minutes: give it to :func:`assay.improve.improve` among
    the ``sources``.

    Parameters
    ----------
    minutes
        For the search.
    families
        Names of families to search in; by default all that suit the task, embeddings excepted.
    most
        Recipes to try at most.
    """

    name = NAME

    def __init__(
        self, minutes: float = 5.0, *, families: tuple[str, ...] = (), most: int | None = None
    ) -> None:
        self.minutes = minutes
        self.families = families
        self.most = most

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield the simplest recipe within one standard error, then what scored best.

        The same search of the same rows proposes what it proposed before, as in a run that goes on.
        """
        for name, why, recipe in self._found(observation):
            yield Proposal(f"search: {name}", why, "rule:search", _in_place_by(recipe))

    def _found(self, observation: Observation) -> list[tuple[str, str, Recipe]]:
        key = self._key(observation)
        ledger = observation.ledger
        entry = ledger.find("event", key)
        if entry is None:
            found = [(each.name, each.why, each.recipe) for each in self._search(observation)]
            body = [(name, why, recipe_to_toml(recipe)) for name, why, recipe in found]
            ledger.record("event", {"name": "searched", "found": body}, key=key)
            return found
        return [
            (name, why, recipe_from_toml(text, name="the recipe found"))
            for name, why, text in entry.body["found"]
        ]

    def _key(self, observation: Observation) -> str:
        """Return what makes a search the same one: the rows, the task, and what was asked for."""
        asked = {
            "task": observation.task.model_dump(mode="json"),
            "minutes": self.minutes,
            "families": sorted(self.families),
            "most": self.most,
        }
        told = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        rows = fingerprint(observation.search)
        return f"searched:{observation.recipe.hash}:{observation.seed}:{rows}:{told}"

    def _search(self, observation: Observation) -> list[Choice]:
        task, rows, seed = observation.task, observation.search, observation.seed
        left_out = tuple(each.column for each in leaks(rows, task, seed=seed))
        baseline = without_columns(observation.recipe, left_out)
        seen = Circumstances.of(task, rows, without=left_out, baseline=baseline)
        families = families_for(seen, self.families)
        tools = Tools.of(observation.ledger, observation.gateway)
        prepare([baseline], rows, tools)
        own = Entrant(0, "project", "recipe", baseline, {}, 1)
        workers, seconds = worker_count(), 60 * self.minutes
        scorer = Scorer(rows, task, seed=seed)
        limits = Limits(max(10.0, seconds / 6), allowed_bytes(workers))
        with working(workers, limits, imports_for(task)) as pool:
            pool.open(Context(rows, task, tools.snapshot(), FOLDS, 1))
            contest = Contest(
                pool=pool,
                workers=workers,
                scorer=scorer,
                stages=stages(int(rows.height * (1 - 1 / FOLDS)), FOLDS),
                folds=splits(rows, task, seed=seed, folds=FOLDS, repeats=1),
                seed=seed,
                seconds=seconds,
                tuner=Tuner(families, seed=seed),
                sampler="tpe",
                planned=deque([own, *default_entrants(families)]),
                ended=lambda entrant: None,
                most=self.most,
            )
            contest.run()
        blend = blended(contest.entrants, scorer)
        chosen = [
            choose(contest.entrants, blend, scorer, simplest=simplest) for simplest in (True, False)
        ]
        hashes: set[str] = {observation.recipe.hash}
        found = []
        for each in chosen:
            if each is not None and each.recipe.hash not in hashes:
                hashes.add(each.recipe.hash)
                found.append(each)
        return found
