"""What the tests of labelling share: a scripted model that knows the newsroom's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.label.result import LabelResult
from assay.label.run import Order, run_labelling
from assay.label.spec import LabelSettings
from assay.label.task import LabelTask
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt, ScriptedModel
from newsroom import WORDS, topic_counts

SETTINGS = LabelSettings(models=("scripted:topics",), embed="scripted:topics", folds=5)


def topics_in(text: str) -> list[str]:
    """Return the topics of which a text holds a word."""
    return [topic for topic, count in zip(WORDS, topic_counts([text])[0], strict=True) if count]


def scripted_topics(choose: Callable[[Prompt, Sequence[str]], Any] | None = None) -> ScriptedModel:
    """Know the newsroom's words: a stand-in for a model, never for its quality."""

    def chosen(prompt: Prompt, options: Sequence[str]) -> list[float]:
        counts = topic_counts([prompt.text])[0]
        if list(options) == ["yes", "no"]:
            asked = [code for code, topic in enumerate(WORDS) if topic in prompt.instructions]
            held = bool(counts[asked[0]]) if asked else False
            return [0.8, 0.2] if held else [0.3, 0.7]
        scores = counts[: len(options)] + 0.2
        return [float(each) for each in scores / scores.sum()]

    def embed(text: str) -> list[float]:
        return [float(each) for each in topic_counts([text])[0] + 0.01]

    return ScriptedModel(choose or chosen, embed=embed, name="topics")


@contextmanager
def labelling(
    folder: Path, model: ScriptedModel | None = None, *others: ScriptedModel
) -> Iterator[Callable[..., LabelResult]]:
    """Yield a function that labels rows with scripted models."""
    model = model or scripted_topics()
    with (
        Ledger.open(folder / "ledger.sqlite") as ledger,
        Gateway(ledger, models={each.name: each for each in (model, *others)}) as gateway,
    ):

        def run(rows: Any, task: Any, gold: Any = None, **more: Any) -> LabelResult:
            order = Order(**{"settings": SETTINGS, **more})
            number = ledger.start_run("label", {})
            return run_labelling(rows, LabelTask.of(task), gold, order, gateway=gateway, run=number)

        yield run
