"""A cap that is reached while texts are embedded leaves rows over, and loses none."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.label.run import Order, run_labelling
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Budget, Gateway
from labelled import SETTINGS, scripted_topics
from newsroom import newsroom

ROWS, FITTED = 600, 60


@pytest.mark.parametrize("left", [0, 1])
def test_rows_that_were_not_embedded_fail_and_the_next_run_asks_only_for_them(
    tmp_path: Path, left: int
) -> None:
    table, model = newsroom(ROWS, seed=1), scripted_topics()
    order = Order(SETTINGS.model_copy(update={"fit_rows": FITTED, "copies": "off"}))
    task = LabelTask.of(["farm", "money", "sport"])
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:

        def labelled(calls: int | None) -> list[str | None]:
            run = ledger.start_run("label", {})
            budget = Budget(calls=calls)
            with Gateway(ledger, models={model.name: model}, budget=budget, run=run) as gateway:
                result = run_labelling(
                    table.select("text"), task, None, order, gateway=gateway, run=run
                )
            return [
                each.split(":")[0] if status == "failed" else None
                for status, each in result.table.select("status", "why").iter_rows()
            ]

        # Each different text once, the sample's vectors, those of the phrases, and what is left.
        texts = table["text"].n_unique()
        failed = [each for each in labelled(texts + 2 + left) if each is not None]
        assert len(failed) == ROWS - FITTED - 256 * left
        assert all("cap on calls was reached while embedding" in each for each in failed)
        assert len(failed) < ROWS
        asked = len(model.asked)
        assert asked == texts
        assert labelled(None) == [None] * ROWS
        assert len(model.asked) == asked
