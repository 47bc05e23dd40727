"""No vault row can reach a proposer: neither its text, nor its id, nor a place to read it from."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from assay import Project
from assay.improve import improve
from assay.recipe import Observation, Proposal
from newsroom import TASK, newsroom


class Spy:
    """A source that keeps what it is shown and proposes nothing."""

    name = "spy"

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        self.seen.append(observation)
        return iter(())


def strings_within(thing: object, depth: int = 6) -> Iterator[str]:
    """Yield every string that can be reached from ``thing`` by attributes and items."""
    if depth == 0 or thing is None:
        return
    if isinstance(thing, str | Path):
        yield str(thing)
    elif isinstance(thing, pl.DataFrame):
        for column in thing.columns:
            yield column
            yield from map(str, thing[column].to_list())
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from strings_within(key, depth - 1)
            yield from strings_within(value, depth - 1)
    elif isinstance(thing, list | tuple | set | frozenset):
        for each in thing:
            yield from strings_within(each, depth - 1)
    elif isinstance(thing, BaseModel) or dataclasses.is_dataclass(thing):
        yield from strings_within(vars(thing) if hasattr(thing, "__dict__") else {}, depth - 1)
    elif type(thing).__module__.startswith("assay"):
        yield from strings_within(vars(thing), depth - 1)


def ledger_text(ledger: Any) -> str:
    """Return all that the ledger's entries and artefacts hold."""
    bodies = [str(each.body) for each in ledger.entries()]
    artefacts = [path.read_bytes() for path in ledger.artefacts.rglob("*") if path.is_file()]
    return "\n".join(bodies) + "\n".join(data.decode("latin-1") for data in artefacts)


@pytest.mark.slow
@given(rows=st.integers(200, 300), seed=st.integers(0, 10_000), empty=st.integers(0, 40))
@settings(max_examples=8, deadline=None)
def test_no_vault_row_reaches_a_proposer(rows: int, seed: int, empty: int) -> None:
    table = newsroom(rows + empty, seed, words=10)
    marked = table.with_columns(
        text=pl.format("{} canary{}end", "text", pl.int_range(pl.len())),
        topic=pl.when(pl.int_range(pl.len()) < rows).then("topic"),
    ).drop("row_id")
    spy = Spy()
    with tempfile.TemporaryDirectory() as folder:
        project = Project.create(Path(folder) / "p", marked, task=TASK, seed=seed)
        improve(project, sources=[spy])
        observation = spy.seen[0]
        shown = "\n".join(strings_within(observation))
        reachable = shown + ledger_text(observation.ledger)
        locked = pl.read_parquet(project.state / "vault" / "rows.parquet")
        assert locked.height >= 100
        assert observation.search.height + locked.height == rows
        assert observation.pool.height == empty
        for text in locked["text"]:
            canary = text.split()[-1]
            assert canary not in reachable
        for text in observation.search["text"]:
            assert text in shown
        assert "vault" not in shown.replace("vault_", "")
        project.ledger().close()
