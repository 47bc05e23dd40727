"""Plots of a diagnosis: what they show is what the rows hold, and a screen reader is told it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import polars as pl
import pytest
from markupsafe import Markup

from assay.diagnose.case import Case
from assay.diagnose.given import read_case
from assay.diagnose.pictures.measure import MOST_CLASSES, MOST_POINTS, pictures
from assay.diagnose.pictures.spec import Confusion, Pictures
from assay.diagnose.report import plots

EVIL = "<script>alert(1)</script>"


def case_of(n: int = 400, *, classes: tuple[str, ...] = ("a", EVIL)) -> Case:
    random = np.random.default_rng(0)
    truth = random.choice(classes, n)
    stated = random.dirichlet(np.ones(len(classes)), n)
    rows = pl.DataFrame({"x": random.normal(size=n), "kind": random.choice(["k", "l"], n)})
    training = rows.with_columns(pl.col("x") + 2, kind=pl.lit("k"), y=pl.Series(truth))
    return read_case(
        rows.with_columns(y=pl.Series(truth)), truth="y", probabilities=stated, training=training
    )


def test_each_figure_is_what_the_rows_hold() -> None:
    case = case_of()
    shown = pictures(case)
    assert sum(each.n for each in shown.reliability) == case.n
    assert all(each.low <= each.right <= each.high for each in shown.reliability)
    right = sum(each.right * each.n for each in shown.reliability) / case.n
    assert right == pytest.approx((case.truth == case.predictions).mean(), abs=1e-3)
    assert shown.confusion is not None
    for line, one in zip(shown.confusion.counts, shown.confusion.names, strict=True):
        for count, other in zip(line, shown.confusion.names, strict=True):
            assert count == ((case.truth == one) & (case.predictions == other)).sum()
    assert shown.map is not None
    assert len(shown.map.points) == MOST_POINTS
    assert {bad for _, _, bad in shown.map.points} == {True, False}
    assert [each.column for each in shown.drift] == ["x", "kind"]
    kind_k = (case.rows["kind"] == "k").mean()
    assert shown.drift[1].distance == pytest.approx(1 - float(kind_k), abs=1e-3)  # type: ignore[arg-type]
    assert Pictures.from_dict(shown.as_dict()) == shown


def test_of_many_classes_the_largest_are_shown() -> None:
    names = tuple(f"class {number:02}" for number in range(20))
    shown = pictures(case_of(600, classes=names)).confusion
    assert shown is not None
    assert len(shown.names) == MOST_CLASSES


def test_a_regression_has_no_classes_and_its_map_is_there() -> None:
    random = np.random.default_rng(0)
    rows = pl.DataFrame({"x": random.normal(size=100), "y": random.normal(size=100)})
    shown = pictures(read_case(rows, truth="y", predictions=np.zeros(100), kind="regression"))
    assert shown.reliability == ()
    assert shown.confusion is None
    assert shown.map is not None


def test_texts_lie_by_their_embeddings_where_these_are_at_hand() -> None:
    texts = [f"a text about {word}" for word in ("cats", "dogs") * 50]
    rows = pl.DataFrame({"text": texts, "y": ["a", "b"] * 50, "prediction": ["a", "b"] * 50})
    case = read_case(rows, truth="y", text="text")

    def embed(some: list[str]) -> np.ndarray:
        return np.array([[float("cats" in each), 0.0, 0.0] for each in some])

    near = pictures(case, embed=embed).map
    assert near is not None
    assert near.by == "the meaning of their texts"
    assert len({x for x, _, _ in near.points}) == 2
    words = pictures(case).map
    assert words is not None
    assert words.by == "the words of their texts"


def test_every_plot_is_one_whole_drawing_with_title_and_description() -> None:
    shown = pictures(case_of())
    assert shown.confusion is not None
    assert shown.map is not None
    drawn = [
        plots.reliability(shown.reliability),
        plots.confusion(shown.confusion),
        plots.row_map(shown.map),
        plots.drift(shown.drift),
        plots.confusion(Confusion(("one",), ((3,),))),
    ]
    for each in drawn:
        assert isinstance(each, Markup)
        tree = ET.fromstring(each)  # noqa: S314 - our own
        assert tree[0].tag == "title"
        assert tree[0].text
        assert tree[1].tag == "desc"
        assert tree.get("role") == "img"
        assert "script" not in {node.tag for node in tree.iter()}
    assert "taken for" in drawn[1]
