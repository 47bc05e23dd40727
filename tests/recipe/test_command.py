"""A program of the user's own as a model."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.errors import InputError
from assay.recipe import Raw, Recipe, Tools, fit_recipe
from assay.recipe.command import command_estimator
from assay.task import ClassDescription, Task

NAMES = ("a", "b", "new", "rare")
TASK = Task(
    kind="multiclass",
    modality="tabular",
    target="grade",
    features=("x",),
    classes=tuple(ClassDescription(name=each) for each in NAMES),
)
ROWS = pl.DataFrame({"row_id": list("123456"), "x": [0, 0, 1, 1, 2, 2], "grade": list("aabbrr")})
ROWS = ROWS.with_columns(pl.col("grade").replace("r", "rare"))

PROGRAM = """
import pathlib, sys, polars as pl
verb, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if verb == "fit":
    rows = pl.read_parquet(folder / "train.parquet")
    rows.unique(["x", "target"]).sort("x").write_parquet(folder / "model.parquet")
else:
    known = pl.read_parquet(folder / "model.parquet")["target"].to_list()
    codes = [known[x] for x in pl.read_parquet(folder / "rows.parquet")["x"]]
    {found}.write_csv(folder / "predictions.csv")
"""
CODES = "pl.DataFrame({'prediction': codes})"
SHARES = "pl.DataFrame({str(each): [float(each == code) for code in codes] for each in range(4)})"
SMOOTH = SHARES.replace("float(each == code)", "0.7 if each == code else 0.1")
OTHER = "pl.DataFrame({'prediction': [2 for _ in codes]})"


def model(folder: Path, found: str):  # type: ignore[no-untyped-def]
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("{found}", found))
    recipe = Recipe(
        features=(Raw(columns=("x",)),),
        estimator=command_estimator(f"{sys.executable} {program}", TASK),
    )

    def none(*_: object, **__: object) -> np.ndarray:
        raise AssertionError

    tools = Tools(read_table=none, embed=none)  # type: ignore[arg-type]
    return fit_recipe(recipe, ROWS, TASK, tools=tools, seed=0)


@pytest.mark.parametrize("found", [CODES, SHARES, SMOOTH], ids=["codes", "sure", "smooth"])
def test_a_class_that_the_rows_lack_keeps_its_code(tmp_path: Path, found: str) -> None:
    told = model(tmp_path, found).predict_proba(ROWS)
    assert (np.array(NAMES)[told.argmax(axis=1)] == ROWS["grade"].to_numpy()).all()
    assert (told[:, 2] == 0).all()
    np.testing.assert_allclose(told.sum(axis=1), 1)


def test_a_code_that_was_not_shown_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no class it was shown\. Given: 2\. Allowed: 0, 1, 3\."):
        model(tmp_path, OTHER).predict(ROWS)
