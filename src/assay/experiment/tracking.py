"""Every recipe tried, and the model of the choice, told to MLflow where it is configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from assay.errors import MissingExtraError
from assay.experiment.search.entrant import Entrant
from assay.project import Project
from assay.recipe import Embedding, Model, Recipe, recipe_to_toml
from assay.task import Task

URI = "MLFLOW_TRACKING_URI"
PARENT = "mlflow.parentRunId"
RECIPE, STAGES = "assay.recipe", "assay.stages"
LONGEST = 400
MOST_RUNS = 5_000
"""Of an earlier session, the newest so many are known."""
EXAMPLE_ROWS = 3


@dataclass
class Tracking:
    """One search as an MLflow run, each recipe tried as a run below it.

    A server that fails ends the tracking, not the search; ``note`` is told once.

    Attributes
    ----------
    below
        For each recipe, by its hash, its run and how many of its stages are told.
    """

    client: Any
    run: Any
    note: Callable[[str], None]
    below: dict[str, tuple[str, int]] = field(default_factory=dict)
    alive: bool = True

    @classmethod
    def open(cls, project: Project, run: str, note: Callable[[str], None]) -> Tracking | None:
        """Return the tracking of a search, or None where the environment names no server.

        A search that goes on is told under the run that it was told under before.

        Raises
        ------
        MissingExtraError
            When ``MLFLOW_TRACKING_URI`` is set and MLflow is not installed.
        """
        if not os.environ.get(URI):
            return None
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise MissingExtraError(f"{URI} is set, but MLflow", "mlflow") from error
        name = f"assay/{project.path.name}"
        tags = {"assay.run": run, "assay.vault": project.vault().id}
        try:
            client = MlflowClient()
            found = client.get_experiment_by_name(name)
            number = found.experiment_id if found else client.create_experiment(name)
            stopped = _tagged(client, number, tags, status="RUNNING")
            began = stopped[0] if stopped else client.create_run(number, run_name=run, tags=tags)
            earlier = _tagged(client, number, {PARENT: began.info.run_id}) if stopped else []
        except Exception as error:
            note(f"MLflow is not told: {_first_line(error)}")
            return None
        return cls(client, began, note, dict(map(_told, earlier)))

    def tried(self, entrant: Entrant, id_: str) -> None:
        """Tell a recipe whose stage ended; ``id_`` is the ledger's."""
        self._guarded(lambda: self._log(entrant, id_))

    def chose(self, model: Model, recipe: Recipe, task: Task, rows: pl.DataFrame) -> None:
        """Log the built choice with its signature and an input example, loadable by pyfunc.

        A recipe that embeds texts asks a model through the project, which a file cannot.
        """
        if any(isinstance(each, Embedding) for each in recipe.all_features):
            self.note("MLflow is not given the model: its embeddings need the project")
            return
        self._guarded(lambda: self._log_model(model, recipe, task, rows))

    def end(self, figures: dict[str, float | None]) -> None:
        """Tell the final figures and end the run."""
        known = {name: value for name, value in figures.items() if value is not None}

        def told() -> None:
            for name, value in known.items():
                self.client.log_metric(self.run.info.run_id, name, value)
            self.client.set_terminated(self.run.info.run_id)

        self._guarded(told)

    def _log(self, entrant: Entrant, id_: str) -> None:
        key, stages = entrant.recipe.hash, len(entrant.scores)
        own, told = self.below.get(key) or (self._begun(entrant), 0)
        for step, score in enumerate(entrant.scores[told:], told):
            if np.isfinite(score):
                self.client.log_metric(own, "score", score, step=step)
        self.client.log_metric(own, "seconds", entrant.seconds)
        tags = {"assay.ledger": id_, "assay.state": entrant.state, STAGES: stages}
        for name, value in tags.items():
            self.client.set_tag(own, name, value)
        self.below[key] = own, stages
        failed = entrant.state == "failed"
        self.client.set_terminated(own, status="FAILED" if failed else "FINISHED")

    def _begun(self, entrant: Entrant) -> str:
        """Begin the run of a recipe; return its id."""
        info = self.run.info
        tags = {PARENT: info.run_id, RECIPE: entrant.recipe.hash}
        name = f"{entrant.number}: {entrant.family}"
        began: str = self.client.create_run(
            info.experiment_id, run_name=name, tags=tags
        ).info.run_id
        parameters = {"family": entrant.family, "origin": entrant.origin, **entrant.values}
        for key, value in parameters.items():
            self.client.log_param(began, key, str(value)[:LONGEST])
        return began

    def _log_model(self, model: Model, recipe: Recipe, task: Task, rows: pl.DataFrame) -> None:
        import mlflow
        from mlflow.models import infer_signature

        example = rows.select(task.inputs).head(EXAMPLE_ROWS).to_pandas()
        answers = model.predict(pl.from_pandas(example))
        logged = _python_model(model)
        with mlflow.start_run(run_id=self.run.info.run_id):
            mlflow.log_text(recipe_to_toml(recipe), "recipe.toml")
            mlflow.pyfunc.log_model(
                name="model",
                python_model=logged,
                signature=infer_signature(example, answers),
                input_example=example,
                pip_requirements=["assay"],
            )

    def _guarded(self, told: Callable[[], None]) -> None:
        if not self.alive:
            return
        try:
            told()
        except Exception as error:
            self.alive = False
            self.note(f"MLflow is not told any more: {_first_line(error)}")


def _tagged(
    client: Any, number: str, tags: Mapping[str, str], *, status: str | None = None
) -> list[Any]:
    """Return the runs of an experiment that have these tags, and the status where one is given."""
    conditions = [f"tags.`{name}` = '{value}'" for name, value in tags.items()]
    conditions += [] if status is None else [f"attributes.status = '{status}'"]
    return list(client.search_runs([number], " and ".join(conditions), max_results=MOST_RUNS))


def _told(run: Any) -> tuple[str, tuple[str, int]]:
    """Return a recipe's hash, its run's id, and how many of its stages the run was told of."""
    tags = run.data.tags
    return tags[RECIPE], (run.info.run_id, int(tags.get(STAGES, 0)))


def _python_model(model: Model) -> Any:
    from mlflow.pyfunc import PythonModel

    class RecipeModel(PythonModel):  # type: ignore[misc]
        """Predicts with a built recipe."""

        def __init__(self, built: Model) -> None:
            self.built = built

        # MLflow reads type hints as a schema, so there are none here.
        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            """Return class names or values, one for each row of a pandas table."""
            return self.built.predict(pl.from_pandas(model_input))

    return RecipeModel(model)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]
