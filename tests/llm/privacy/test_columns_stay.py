"""Columns that never leave: no value of theirs reaches a model's server, whatever is tried."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from model_servers import KEY, CompatibleServer

from assay import Project
from assay.errors import InputError
from assay.experiment import FeatureSource
from assay.improve import ImproveResult, improve
from assay.label import PoolLabelSource
from assay.llm import Prompt
from assay.llm.privacy import Privacy
from assay.project import Models
from assay.recipe import Embedding, Observation, Proposal, baseline_recipe
from assay.task import ClassDescription, Task
from newsroom import WORDS, newsroom

REMOTE = "http://models.example.org/v1#good"
COLUMNS = ("text", "desk", "topic")
TASK = Task(
    kind="multiclass",
    modality="text",
    target="topic",
    text="text",
    features=("desk",),
    classes=tuple(ClassDescription(name=f"canary-topic-{name}") for name in WORDS),
)


class DeskSource:
    """Embeds the other column, and asks about columns alone and together."""

    name = "desk"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        embedding = Embedding(column="desk", model=observation.embed_model)
        yield Proposal("desks", "why not", "rule:test", lambda recipe: recipe.with_features(
            *recipe.features, embedding))  # fmt: skip
        for columns in (("text",), ("topic",), ("text", "desk", "topic")):
            row = str(observation.search.select(columns).row(0))
            prompts = [Prompt("Which?", row, columns=columns)]
            with suppress(InputError) if len(columns) == 1 else nullcontext():
                observation.gateway.choose(observation.label_model, prompts, ["a", "b"])


@pytest.fixture(scope="module")
def server() -> Iterator[CompatibleServer]:
    """A server that stands for another machine: requests reach it through a proxy's address."""
    started = CompatibleServer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTP_PROXY", f"http://127.0.0.1:{started.port}")
        patch.setenv("ASSAY_API_KEY", KEY)
        yield started
    started.close()


def improved(folder: str | Path, forbidden: tuple[str, ...]) -> ImproveResult:
    rows = newsroom(240, seed=1).drop("row_id")
    number = pl.int_range(pl.len())
    table = rows.select(
        text=pl.format("{} canary-text-{}", "text", number),
        desk=pl.format("canary-desk-{}", number % 7),
        topic=pl.when(number < 220).then(pl.format("canary-topic-{}", "topic")),
    )
    recipe = baseline_recipe(TASK).with_estimator(
        "sklearn.tree.DecisionTreeClassifier", max_depth=2
    )
    project = Project.create(Path(folder) / "p", table, task=TASK, recipe=recipe)
    changed = {
        "privacy": Privacy(policy="remote", columns=forbidden),
        "models": Models(label=REMOTE, embed=REMOTE),
        "unpriced_ok": True,
    }
    settings = project.settings.model_copy(update=changed)
    project = Project(project.path, project.file.model_copy(update={"settings": settings}))
    result = improve(project, sources=[PoolLabelSource(), FeatureSource(), DeskSource()])
    project.ledger().close()
    return result


@pytest.mark.slow
@given(forbidden=st.sets(st.sampled_from(COLUMNS)).map(lambda each: tuple(sorted(each))))
@settings(max_examples=5, deadline=None, database=None, phases=[Phase.generate])
def test_no_canary_of_a_forbidden_column_reaches_the_server(
    server: CompatibleServer, forbidden: tuple[str, ...]
) -> None:
    server.received.clear()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.delenv("ASSAY_NO_REAL_MODELS", raising=False)
        result = improved(folder, forbidden)
    sent = str(server.received)
    for column in COLUMNS:
        # What may leave does: the test would see a leak.
        assert (f"canary-{column}" in sent) == (column not in forbidden), column
    reasons = [each.reason for each in result.skipped]
    for column in forbidden:
        assert any(repr(column) in each and "must not leave" in each for each in reasons)


def test_a_text_of_unknown_origin_stays_where_columns_are_forbidden() -> None:
    privacy = Privacy(policy="remote", columns=("desk",))
    elsewhere = {"name": REMOTE, "host": "models.example.org"}
    prompts = [Prompt("Which?", "a row"), Prompt("Which?", "a row", columns=("text",))]
    told = privacy.checked(prompts, **elsewhere)
    assert told[1] is prompts[1]
    with pytest.raises(InputError, match="does not say which columns"):
        told[0]
    with pytest.raises(InputError, match="'desk' must not leave"):
        privacy.check_columns(("text", "desk"), **elsewhere)
    assert privacy.checked(prompts, name=REMOTE, host="localhost") is prompts
    assert Privacy(policy="remote").checked(prompts, **elsewhere) is prompts
