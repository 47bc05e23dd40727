"""Many classes: the nearest by embedding are listed for a row, and the model chooses among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.label import LabelSettings
from assay.label.run import Order, run_labelling
from assay.label.single.annotators import ModelAnnotator
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Example, Gateway, Prompt, ScriptedModel

NAMES = [f"class{number}" for number in range(24)]
TASK = LabelTask.of(NAMES)
SETTINGS = LabelSettings(models=("scripted:many",), embed="scripted:many", shortlist=6)


def place(text: str) -> list[float]:
    """Put a text on a circle by the number in it, so that near numbers are near classes."""
    turn = 2 * np.pi * int("".join(each for each in text if each.isdigit())) / len(NAMES)
    return [float(np.cos(turn)), float(np.sin(turn))]


class Scripted(ScriptedModel):
    def __init__(self) -> None:
        super().__init__(self.chosen, embed=place, name="many")
        self.lists: list[tuple[str, ...]] = []

    def chosen(self, prompt: Prompt, options: Sequence[str]) -> list[float]:
        self.lists.append(tuple(options))
        right = [each.removeprefix("class") == prompt.text.split()[-1] for each in options]
        return [(0.9 if each else 0.1 / len(options)) for each in right]


def asked(tmp_path: Path, settings: LabelSettings, model: Scripted) -> list[str]:
    rows = [f"row about {number % 24}" for number in range(48)]
    models = {model.name: model}
    with (
        Ledger.open(tmp_path / "ledger.sqlite") as ledger,
        Gateway(ledger, models=models) as gateway,
    ):
        run = ledger.start_run("label", {})
        result = run_labelling(rows, TASK, None, Order(settings), gateway=gateway, run=run)
    return list(result.answers.labels)


def test_a_model_elsewhere_chooses_among_the_nearest_classes(tmp_path: Path) -> None:
    model = Scripted()
    labels = asked(tmp_path, SETTINGS, model)
    assert labels == [f"class{number % 24}" for number in range(48)]
    assert {len(each) for each in model.lists} == {6}
    assert not any("class0" in each.instructions for each in model.asked)


@pytest.mark.parametrize("length", [0, 13])
def test_all_are_listed_where_none_is_wanted_or_classes_are_few(
    length: int, tmp_path: Path
) -> None:
    model = Scripted()
    asked(tmp_path, SETTINGS.model_copy(update={"shortlist": length}), model)
    assert {len(each) for each in model.lists} == {24}


def test_what_a_row_did_not_list_counts_as_the_least_that_it_did(tmp_path: Path) -> None:
    model = Scripted()
    with (
        Ledger.open(tmp_path / "ledger.sqlite") as ledger,
        Gateway(ledger, models={model.name: model}) as gateway,
    ):
        annotator = ModelAnnotator.of(TASK, model.name, gateway, SETTINGS)
        shown = (Example("row about 3", "class3"), Example("row about 20", "class20"))
        raw, _ = annotator.ask_with(["row 3", "row 4"], [shown, shown], gateway)
    scores = annotator.settled(raw).scores(raw)
    assert np.isneginf(raw).sum(axis=1).tolist() == [18, 18]
    assert np.isfinite(scores).all()
    assert scores.argmax(axis=1).tolist() == [3, 4]
    assert scores[0][np.isneginf(raw[0])].max() == scores[0].min()
    told = [[each.answer for each in prompt.examples] for prompt in model.asked]
    assert told == [["class3"], ["class3"]], "an example whose class is not listed is not shown"
