"""The Project: what a run works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from assay.errors import InputError, ProjectError
from assay.evidence import Evidence, Vault
from assay.evidence.power import DISAGREEMENT, Plan, plan
from assay.ledger import Ledger
from assay.llm import Budget, Gateway, Progress
from assay.project import create as making
from assay.project.describing import write_metric
from assay.project.prepare import prepare
from assay.project.settings import ProjectFile, Settings, from_toml
from assay.recipe import Recipe, baseline_recipe, read_recipe, write_recipe
from assay.recipe.text import checked
from assay.tables import Note
from assay.task import Kind, Task, judges

if TYPE_CHECKING:
    from assay.llm.rehearsal import Rehearsal


@dataclass(frozen=True)
class Project:
    """A folder with ``assay.toml``; use :meth:`create` or :meth:`open`.

    Attributes
    ----------
    path
        The folder.
    file
        What ``assay.toml`` says.
    notes
        What :meth:`create` found, and why; empty for an opened project.
    """

    path: Path
    file: ProjectFile
    notes: tuple[Note, ...] = ()

    @classmethod
    def create(
        cls,
        path: str | Path,
        table: Any,
        *,
        target: str | None = None,
        task: Task | None = None,
        text: str | None = None,
        kind: Kind | None = None,
        metric: str | None = None,
        group: str | None = None,
        time: str | None = None,
        seed: int = 0,
        looks: int = 1,
        recipe: Recipe | None = None,
    ) -> Project:
        """Make a project and lock its vault.

        Parameters
        ----------
        path
            A folder that is absent, or holds no project yet.
        table
            Rows: a Polars or pandas DataFrame, an Arrow table, a Hugging Face Dataset, a file's
            path, a dict of columns or a list of dicts. Rows with an empty target are the pool.
        target, text, kind, metric, group, time
            What is predicted; what is None is found in the table. ``target`` or ``task`` is
            required.
        task
            The whole task, in place of finding it.
        seed
            All randomness of the project derives from it.
        looks
            How often the vault may be looked at, at .05 / looks each.
        recipe
            Where to start; by default TF-IDF or encoded columns with a linear model.

        Raises
        ------
        ProjectError
            When the folder holds a project.
        InputError
            When the table or a parameter is not usable; the message says what would be.
        AssayError
            When the disk is full. After any error the folder is as it was.
        """
        path = Path(path).expanduser().absolute()
        making.refuse_taken(path)
        settings = checked(Settings, {"seed": seed}, "settings")
        prepared = prepare(
            table,
            task=task,
            target=target,
            seed=seed,
            text=text,
            kind=kind,
            metric=metric,
            group=group,
            time=time,
        )
        file = ProjectFile(settings=settings, task=prepared.task)
        making.make(path, prepared, file, recipe or baseline_recipe(prepared.task), looks=looks)
        return cls(path, file, prepared.notes)

    @classmethod
    def open(cls, path: str | Path = ".") -> Project:
        """Open the project in ``path`` or the nearest folder above it.

        Raises
        ------
        ProjectError
            When there is none, or a newer version made it.
        InputError
            When ``assay.toml`` is damaged.
        """
        found = cls.find(path)
        if found is None:
            raise ProjectError(
                "There is no project here.",
                given=Path(path).expanduser().absolute(),
                next_step="run assay init DATA --target COLUMN, or name its folder with --path",
            )
        return found

    @classmethod
    def find(cls, path: str | Path = ".") -> Project | None:
        """Open the project as :meth:`open` does; return None where there is none.

        Raises
        ------
        ProjectError
            When a newer version made it.
        InputError
            When ``assay.toml`` is damaged.
        """
        start = Path(path).expanduser().absolute()
        for folder in (start, *start.parents):
            if (folder / making.FILE).is_file():
                return cls(folder, from_toml((folder / making.FILE).read_bytes()))
        return None

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.file.task

    @property
    def settings(self) -> Settings:
        """What governs the runs."""
        return self.file.settings

    @property
    def state(self) -> Path:
        """The folder ``.assay``."""
        return self.path / making.STATE

    @property
    def recipe(self) -> Recipe:
        """The recipe in ``recipe.toml``, read anew."""
        return read_recipe(self.path / making.RECIPE)

    def judged_by(self, metric: str) -> Project:
        """Return this project with another metric; ``assay.toml`` stays as it is.

        Raises
        ------
        InputError
            When the metric does not suit the task.
        """
        if not judges(metric, self.task.kind):
            raise InputError(
                f"This metric does not judge a {self.task.kind} task.",
                given=metric,
                next_step="use a metric of the task's kind; costs need two classes",
            )
        task = self.task.model_copy(update={"metric": metric})
        return replace(self, file=self.file.model_copy(update={"task": task}))

    def save_metric(self) -> None:
        """Write the metric that this project is judged by into ``assay.toml``."""
        write_metric(self.path / making.FILE, self.task.metric)

    def save_recipe(self, recipe: Recipe) -> None:
        """Replace ``recipe.toml``."""
        write_recipe(recipe, self.path / making.RECIPE)

    def search(self) -> pl.DataFrame:
        """Return the labelled rows for training and cross-validation."""
        return self._rows("search")

    def pool(self) -> pl.DataFrame:
        """Return the rows without a label."""
        return self._rows("pool")

    def ledger(self) -> Ledger:
        """Return the project's durable record; opened once."""
        return self._ledger

    def gateway(
        self,
        *,
        run: str | None = None,
        budget: Budget | None = None,
        models: Mapping[str, Any] | None = None,
        progress: Callable[[Progress], None] | None = None,
        capability: str | None = None,
        batch: bool = False,
    ) -> Gateway:
        """Return the door to language models, under the project's privacy and budget.

        Parameters
        ----------
        run
            The run that calls belong to.
        budget
            Hard caps, in place of the project's own.
        models
            Models by name, in place of the ones that would be loaded.
        progress
            Told how far each question has come.
        capability
            On whose behalf, for ``assay spend``.
        batch
            Whether questions are asked in batches: half price, answered within a day.
        """
        return Gateway(
            self.ledger(),
            budget=self.settings.budget if budget is None else budget,
            run=run,
            models=models,
            progress=progress,
            capability=capability,
            **self._governing,
            batch=batch,
        )

    def rehearsal(
        self, *, models: Mapping[str, Any] | None = None, batch: bool = False
    ) -> Rehearsal:
        """Return a gateway that asks nothing and notes what would be asked, for a dry run."""
        from assay.llm.rehearsal import Rehearsal

        return Rehearsal(self.ledger(), models=models, batch=batch, **self._governing)

    def plan(self) -> Plan:
        """Return the smallest gains that the search and vault rows can show at 80 % power.

        How much row differences spread is taken from the newest trial on these rows. Before
        the first, accuracy supposes that two models disagree on a tenth of the rows; other
        metrics count in standard deviations of a row's difference.
        """
        vault, search, group = self.vault(), self.search(), self.task.group
        rows = search[group].n_unique() if group else search.height
        disagreement = DISAGREEMENT if self.task.metric == "accuracy" else 1.0
        return plan(
            rows,
            vault.n,
            alpha=self.settings.level,
            vault_alpha=vault.alpha_per_look,
            disagreement=disagreement,
            like=self._newest_gain(search.height),
        )

    def _newest_gain(self, rows: int) -> Evidence | None:
        for entry in self.ledger().entries("trial", limit=1):
            gain = Evidence.from_dict(entry.body["gain"])
            same = gain.details.get("metric") == self.task.metric and gain.n == rows
            if same and gain.details.get("se", 0.0) > 0:
                return gain
        return None

    def vault(self) -> Vault:
        """Return the locked rows' keeper.

        Raises
        ------
        VaultError
            When the rows were altered since they were locked.
        """
        return Vault.open(self.state / making.VAULT, task=self.task, ledger=self.ledger())

    @property
    def _governing(self) -> dict[str, Any]:
        """What the settings say about every question to a model."""
        settings = self.settings
        return {
            "cache": settings.cache,
            "privacy": settings.privacy,
            "prices": {name: each.price for name, each in settings.prices.items()},
            "unpriced_ok": settings.unpriced_ok,
        }

    @cached_property
    def _ledger(self) -> Ledger:
        return making.open_ledger(self.settings, self.state)

    def _rows(self, role: str) -> pl.DataFrame:
        file = self.state / making.DATA / f"{role}.parquet"
        if not file.is_file():
            raise ProjectError(
                f"The project's {role} rows are gone.",
                given=file,
                next_step="restore .assay from a backup, or make the project again",
            )
        return pl.read_parquet(file)
