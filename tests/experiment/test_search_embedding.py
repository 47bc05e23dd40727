"""Whether a search embeds its texts: within a quarter of its time, and the same under --most."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay import Project
from assay.errors import InputError
from assay.experiment.embedding import ASSUMED_PACE, SHARE, TASTED, WARMING, embedder
from assay.experiment.order import Order
from assay.experiment.search.circumstances import Circumstances
from assay.experiment.search.families import families_for
from assay.recipe import Tools
from newsroom import TASK, newsroom


class Reader:
    """A scripted embedder with a clock of its own: loading, then so many characters a second."""

    def __init__(self, pace: float, loading: float = 3.0) -> None:
        self.pace, self.time, self.left = pace, 0.0, loading
        self.read: list[str] = []

    def embed(self, model: str, texts: Sequence[str], **_: object) -> np.ndarray:
        self.time += self.left + sum(map(len, texts)) / self.pace
        self.left = 0.0
        self.read += texts
        return np.zeros((len(texts), 2), dtype=np.float32)

    def now(self) -> float:
        return self.time


@pytest.fixture
def made(tmp_path: Path) -> Project:
    rows = newsroom(2_000, words=12).drop("row_id")
    return Project.create(tmp_path / "news", rows, target="topic", text="text")


def chosen(made: Project, order: Order, reader: Reader) -> tuple[str | None, list[str]]:
    notes: list[str] = []
    tools = Tools(read_table=print, embed=reader.embed)  # type: ignore[arg-type]
    return embedder(made, made.search(), order, tools, notes, reader.now), notes


def test_a_short_search_embeds_what_fits_into_a_quarter_of_its_time(made: Project) -> None:
    characters = sum(map(len, set(made.search()["text"])))
    quarter = SHARE * 60
    fast = Reader(characters / (quarter - 4.0))  # loading takes three seconds
    model, notes = chosen(made, Order(minutes=1), fast)
    assert (model, notes) == (made.settings.models.embed, [])
    assert sorted(fast.read) == sorted(set(made.search()["text"]))
    assert fast.time <= quarter
    slow = Reader(characters / (quarter - 2.0))
    model, notes = chosen(made, Order(minutes=1), slow)
    assert model is None
    assert len(slow.read) == WARMING + TASTED
    assert "embeddings are left out" in notes[0]
    assert "16 s" in notes[0]


@pytest.mark.parametrize("different", [8, WARMING + TASTED])
def test_texts_that_are_no_more_than_a_measure_takes_are_embedded(
    different: int, tmp_path: Path
) -> None:
    rows = newsroom(600).drop("row_id")
    few = [f"the {number}th of a few sentences" for number in range(different)]
    texts = pl.Series([few[number % different] for number in range(rows.height)])
    made = Project.create(
        tmp_path / "few", rows.with_columns(text=texts), target="topic", text="text"
    )
    reader = Reader(1e6)
    assert chosen(made, Order(minutes=1), reader) == (made.settings.models.embed, [])
    assert sorted(reader.read) == sorted(set(made.search()["text"]))


def test_a_search_of_so_many_recipes_does_not_ask_the_clock(made: Project) -> None:
    characters = sum(map(len, set(made.search()["text"])))
    minutes = characters / ASSUMED_PACE / SHARE / 60
    for reader in (Reader(1e-3), Reader(1e9)):
        assert chosen(made, Order(minutes=1.01 * minutes, most=3), reader)[0] is not None
    for reader in (Reader(1e-3), Reader(1e9)):
        assert chosen(made, Order(minutes=0.99 * minutes, most=3), reader)[0] is None
        assert not reader.read


def test_nothing_is_embedded_where_no_family_asks_for_it_or_time_is_short(made: Project) -> None:
    reader = Reader(1e9)
    assert chosen(made, Order(families=("words", "letters")), reader) == (None, [])
    model, notes = chosen(made, Order(minutes=0.2), reader)
    assert model is None
    assert "less than 30 s" in notes[0]
    assert not reader.read
    assert chosen(made, Order(families=("words", "embeddings")), reader)[0] is not None


def test_texts_that_are_embedded_already_cost_nothing(made: Project) -> None:
    reader = Reader(1e-3)
    tools = Tools(read_table=print, embed=reader.embed)  # type: ignore[arg-type]
    texts = made.search()["text"].to_list()
    tools.vectors(made.settings.models.embed, texts, "text")
    notes: list[str] = []
    assert embedder(made, made.search(), Order(minutes=0.2), tools, notes, reader.now) is not None
    assert not notes


class Kept:
    """A reader behind a gateway, which keeps on disk what was embedded."""

    name = "local:minilm"

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return self.reader.embed(self.name, texts)


def test_the_pace_is_that_of_texts_which_no_earlier_search_embedded(made: Project) -> None:
    reader = Reader(1e-3)
    notes: list[str] = []
    for _ in range(2):
        models = {Kept.name: Kept(reader)}
        with made.gateway(models=models, capability="experiment") as gateway:
            tools = Tools.of(made.ledger(), gateway)
            order = Order(minutes=1)
            assert embedder(made, made.search(), order, tools, notes, reader.now) is None
    assert len(notes) == 2
    assert len(set(reader.read)) == len(reader.read) == 2 * (WARMING + TASTED)


def test_families_that_embed_are_passed_over_where_texts_are_not_embedded() -> None:
    seen = Circumstances(TASK, (), 900, 0.3)
    assert [each.name for each in families_for(seen, ("embeddings", "words"))] == ["words"]
    with pytest.raises(InputError, match="not embedded"):
        families_for(seen, ("embeddings",))
    with pytest.raises(InputError, match="no such family"):
        families_for(seen, ("forest",))
